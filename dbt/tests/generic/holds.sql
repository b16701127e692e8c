{# The condition is not false in any row. #}
{% test holds(model, condition, column_name=none) %}
select * from {{ model }} where not ({{ condition }})
{% endtest %}
