{#- Where databases differ and dbt's own macros do not help. -#}

{#- The type of an instant. Snowflake's own default has no zone: there it is UTC. -#}
{% macro type_instant() %}{{ return(adapter.dispatch('type_instant', 'ozonetel_cdr')()) }}{% endmacro %}
{% macro default__type_instant() %}timestamp with time zone{% endmacro %}
{% macro bigquery__type_instant() %}timestamp{% endmacro %}
{% macro snowflake__type_instant() %}timestamp_ntz{% endmacro %}

{#- An instant from what a loader made of it: RFC 3339 text, with a zone, or without one in UTC. -#}
{% macro instant(column, text, data_type) %}
  {{- adapter.dispatch('instant', 'ozonetel_cdr')(column, text, data_type) -}}
{% endmacro %}

{% macro default__instant(column, text, data_type) %}
  {%- if 'char' in data_type or 'text' in data_type -%}
    cast({{ text }} as timestamp with time zone)
  {%- elif 'with time zone' in data_type or 'timestamptz' in data_type -%}
    {{ column }}
  {%- else -%}
    cast({{ column }} as timestamp) at time zone 'UTC'
  {%- endif -%}
{% endmacro %}

{% macro bigquery__instant(column, text, data_type) %}
  {%- if 'string' in data_type -%}
    cast({{ text }} as timestamp)
  {%- elif 'datetime' in data_type -%}
    timestamp({{ column }}, 'UTC')
  {%- else -%}
    {{ column }}
  {%- endif -%}
{% endmacro %}

{% macro snowflake__instant(column, text, data_type) %}
  {%- if 'char' in data_type or 'text' in data_type or 'string' in data_type -%}
    cast(convert_timezone('UTC', cast({{ text }} as timestamp_tz)) as timestamp_ntz)
  {%- elif 'ntz' in data_type -%}
    {{ column }}
  {%- else -%}
    cast(convert_timezone('UTC', {{ column }}) as timestamp_ntz)
  {%- endif -%}
{% endmacro %}

{#- The whole seconds from one instant to another. dbt's datediff goes by the session's zone. -#}
{% macro seconds_between(start, end) %}
  {{- adapter.dispatch('seconds_between', 'ozonetel_cdr')(start, end) -}}
{% endmacro %}
{% macro default__seconds_between(start, end) %}{{ dbt.datediff(start, end, 'second') }}{% endmacro %}
{% macro duckdb__seconds_between(start, end) %}date_diff('second', {{ start }}, {{ end }}){% endmacro %}
{% macro postgres__seconds_between(start, end) -%}
  cast(extract(epoch from {{ end }} - {{ start }}) as bigint)
{%- endmacro %}

{% macro type_double() %}{{ return(adapter.dispatch('type_double', 'ozonetel_cdr')()) }}{% endmacro %}
{% macro default__type_double() %}double precision{% endmacro %}
{% macro bigquery__type_double() %}float64{% endmacro %}
