{{ config(materialized='view') }}

{%- set file = ozonetel_cdr.jsonl_file() -%}
{%- set columns = ozonetel_cdr.stream_columns() -%}
{%- set source_relation = source('ozonetel_cdr', 'cdr') -%}
{%- set found = {} -%}
{%- if file -%}
  {%- for name, _, _ in columns -%}
    {%- do found.update({name | lower: api.Column(name, 'varchar')}) -%}
  {%- endfor -%}
{%- elif execute -%}
  {%- set found = ozonetel_cdr.source_columns(source_relation) -%}
{%- endif -%}
{#- When a loader wrote a row: file order, or what loaders add. The last one named decides first. -#}
{%- set loaded = [] -%}
{%- for name in ['_sdc_received_at', '_sdc_batched_at', '_sdc_sequence'] if name in found -%}
  {%- do loaded.append(adapter.quote(found[name].name)) -%}
{%- endfor %}

with loaded as (

    {% if file %}
    -- Named columns, all text: DuckDB would otherwise guess types from the first lines.
    select
        row_number() over () as line,
        *
    from read_json(
        '{{ file | replace("'", "''") }}',
        format = 'newline_delimited',
        columns = {
            {%- for name, _, _ in columns %}'{{ name }}': 'VARCHAR'{{ ', ' if not loop.last }}{% endfor -%}
        }
    )
    {% else %}
    select * from {{ source_relation }}
    {% endif %}

),

renamed as (

    select
        {%- for name, own_name, kind in columns %}
        {%- if own_name == 'account' %}
        coalesce(
            {{ ozonetel_cdr.source_value(kind, found.get(name | lower)) }}, '{{ var("account") }}'
        ) as account,
        {%- else %}
        {{ ozonetel_cdr.source_value(kind, found.get(name | lower)) }} as {{ own_name }},
        {%- endif %}
        {%- endfor %}
        {%- if file %}
        line as load_order
        {%- else %}
        0 as load_order
        {%- endif %}
        {%- for column in loaded %}
        , {{ column }} as loaded_{{ loop.index }}
        {%- endfor %}
    from loaded

),

versions as (

    select
        *,
        row_number() over (
            partition by account, call_id, ucid
            order by
                {%- for column in loaded %}
                case when loaded_{{ loop.index }} is null then 1 else 0 end, loaded_{{ loop.index }} desc,
                {%- endfor %}
                load_order desc,
                -- Without any of these, the longer one: a running call only grows.
                coalesce(duration_seconds, -1) desc
        ) as version_number
    from renamed

)

select
    {%- for _, own_name, _ in columns %}
    {{ own_name }}{{ ',' if not loop.last }}
    {%- endfor %}
from versions
where version_number = 1
