{# Every value that is not null lies between these two, or at one of them. #}
{% test within(model, column_name, lowest=none, highest=none) %}
select {{ column_name }}
from {{ model }}
where
    {% if lowest is not none %}{{ column_name }} < {{ lowest }}{% endif %}
    {% if lowest is not none and highest is not none %}or{% endif %}
    {% if highest is not none %}{{ column_name }} > {{ highest }}{% endif %}
{% endtest %}
