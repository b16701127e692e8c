{#- How many rows meet a condition. -#}
{% macro count_if(condition) %}count(case when {{ condition }} then 1 end){% endmacro %}

{#- A share or an average; null where there is nothing to divide by. -#}
{% macro ratio(part, whole) -%}
  cast({{ part }} as {{ ozonetel_cdr.type_double() }}) / nullif({{ whole }}, 0)
{%- endmacro %}

{#- Whether any row of a group is true; null where none is known. -#}
{% macro any_true(condition) %}(max(case when {{ condition }} then 1 when not ({{ condition }}) then 0 end) = 1){% endmacro %}

{#- The order of a call's events. Databases disagree about where null stands. -#}
{% macro by_start() %}case when started_at is null then 1 else 0 end, started_at, ucid{% endmacro %}
