{#- The stream's columns that the models use: the name in the stream, the name here, and the kind.
    Durations as text are not among them, since the stream has each in seconds as well. -#}
{% macro stream_columns() %}
  {{ return([
    ('UserName', 'account', 'text'),
    ('CallID', 'call_id', 'id'),
    ('UCID', 'ucid', 'id'),
    ('CallDate', 'call_date', 'date'),
    ('Type', 'type', 'text'),
    ('Event', 'event', 'text'),
    ('CallFlow', 'call_flow', 'text'),
    ('Status', 'status', 'text'),
    ('CampaignName', 'campaign', 'text'),
    ('Skill', 'skill', 'text'),
    ('AgentID', 'agent_id', 'text'),
    ('AgentName', 'agent_name', 'text'),
    ('E164', 'customer', 'text'),
    ('CallerID', 'caller_id', 'text'),
    ('DID', 'did', 'text'),
    ('DynamicDID', 'dynamic_did', 'text'),
    ('DialedNumber', 'dialed_number', 'text'),
    ('DialOutName', 'dial_out_name', 'text'),
    ('DialStatus', 'dial_status', 'text'),
    ('AgentDialStatus', 'agent_dial_status', 'text'),
    ('CustomerDialStatus', 'customer_dial_status', 'text'),
    ('DialCount', 'dial_count', 'integer'),
    ('HangupBy', 'hangup_by', 'text'),
    ('TransferType', 'transfer_type', 'text'),
    ('TransferredTo', 'transferred_to', 'text'),
    ('Disposition', 'disposition', 'text'),
    ('Comments', 'comments', 'text'),
    ('Rating', 'rating', 'integer'),
    ('RatingComments', 'rating_comments', 'text'),
    ('Location', 'location', 'text'),
    ('UUI', 'reference', 'text'),
    ('CallAudio', 'recording_url', 'text'),
    ('CallerConfAudioFile', 'conference_recording_url', 'text'),
    ('VideoRecordingURL', 'video_recording_url', 'text'),
    ('StartTime', 'start_time', 'text'),
    ('StartedAt', 'started_at', 'instant'),
    ('PickedUpAt', 'picked_up_at', 'instant'),
    ('EndedAt', 'ended_at', 'instant'),
    ('WrapUpStartedAt', 'wrap_up_started_at', 'instant'),
    ('WrapUpEndedAt', 'wrap_up_ended_at', 'instant'),
    ('DurationSeconds', 'duration_seconds', 'integer'),
    ('TalkTimeSeconds', 'talk_seconds', 'integer'),
    ('HandlingTimeSeconds', 'handling_seconds', 'integer'),
    ('WrapupDurationSeconds', 'wrap_up_seconds', 'integer'),
    ('TimeToAnswerSeconds', 'time_to_answer_seconds', 'integer'),
    ('HoldDurationSeconds', 'hold_seconds', 'integer'),
    ('ConferenceDurationSeconds', 'conference_seconds', 'integer'),
    ('CustomerRingTimeSeconds', 'customer_ring_seconds', 'integer'),
    ('QueueTimeSeconds', 'queue_seconds', 'integer'),
    ('AdditionalFields', 'additional_fields', 'text'),
  ]) }}
{% endmacro %}

{#- The file of JSON lines to read, none if the rows are in a table. -#}
{% macro jsonl_file() %}
  {{ return(var('source_jsonl', env_var('OZONETEL_CDR_JSONL', '')) if target.type == 'duckdb' else '') }}
{% endmacro %}

{#- The columns that the source has, by their names in lower case. Loaders change the case. -#}
{% macro source_columns(relation) %}
  {%- set found = {} -%}
  {%- for column in adapter.get_columns_in_relation(relation) -%}
    {%- do found.update({column.name | lower: column}) -%}
  {%- endfor -%}
  {%- if not found -%}
    {%- do exceptions.raise_compiler_error(
        'There is no table ' ~ relation ~ '. The variables source_schema and source_table name it,'
        ~ ' and, for DuckDB, OZONETEL_CDR_JSONL a file of JSON lines.') -%}
  {%- endif -%}
  {{ return(found) }}
{% endmacro %}

{#- One column of the source under its name here; null where the source does not have it. -#}
{% macro source_value(kind, column) %}
  {%- set text = 'nullif(trim(cast(' ~ adapter.quote(column.name) ~ ' as ' ~ dbt.type_string() ~ ")), '')"
      if column else 'null' -%}
  {%- if kind == 'id' -%}
    coalesce({{ text }}, '')
  {%- elif kind == 'text' -%}
    cast({{ text }} as {{ dbt.type_string() }})
  {%- elif kind == 'date' -%}
    cast({{ text }} as date)
  {%- elif kind == 'integer' -%}
    cast({{ text }} as {{ dbt.type_bigint() }})
  {%- elif column -%}
    {{ ozonetel_cdr.instant(adapter.quote(column.name), text, column.data_type | lower) }}
  {%- else -%}
    cast(null as {{ ozonetel_cdr.type_instant() }})
  {%- endif -%}
{% endmacro %}
