{#- The hour of a local time of day as HH:MM:SS text, null for any other text. -#}
{% macro local_hour(time) -%}
  case substr({{ time }}, 1, 3)
    {%- for hour in range(24) %} when '{{ '%02d:' % hour }}' then {{ hour }}{% endfor %} end
{%- endmacro %}
