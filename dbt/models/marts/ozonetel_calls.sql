-- first, answered and last: what several events of a call say differently, one of them decides.
{%- set first = ['call_date', 'start_time', 'start_hour', 'direction', 'campaign', 'customer', 'reference', 'recording_url'] %}
{%- set last = ['disposition', 'hangup_by', 'skill'] %}

with events as (

    select
        *,
        row_number() over (
            partition by account, call_id order by {{ ozonetel_cdr.by_start() }}
        ) as event_number,
        case when is_answered then
            row_number() over (
                partition by account, call_id, is_answered order by {{ ozonetel_cdr.by_start() }}
            )
        end as answer_number
    from {{ ref('stg_ozonetel_cdr__events') }}

),

deciding as (

    select
        *,
        {%- for column in first %}
        min(case when {{ column }} is not null then event_number end)
            over (partition by account, call_id) as {{ column }}_from,
        {%- endfor %}
        {%- for column in last %}
        max(case when {{ column }} is not null then event_number end)
            over (partition by account, call_id) as {{ column }}_from{{ ',' if not loop.last }}
        {%- endfor %}
    from events

),

calls as (

    select
        account,
        call_id,
        {%- for column in first + last %}
        max(case when event_number = {{ column }}_from then {{ column }} end) as {{ column }},
        {%- endfor %}
        max(case when answer_number = 1 then skill end) as answering_skill,
        max(case when answer_number = 1 then agent_id end) as agent_id,
        max(case when answer_number = 1 then agent_name end) as agent_name,
        min(started_at) as started_at,
        max(case when answer_number = 1 then picked_up_at end) as answered_at,
        max(ended_at) as ended_at,
        {{ ozonetel_cdr.any_true('is_answered') }} as is_answered,
        {{ ozonetel_cdr.any_true('is_in_progress') }} as is_in_progress,
        max(case when transfer_type is not null or answer_number = 2 then 1 else 0 end) = 1
            as is_transferred,
        sum(talk_seconds) as talk_seconds,
        sum(wrap_up_seconds) as wrap_up_seconds,
        -- An agent who is still in wrap-up has no handling time yet: part of a sum would pass for it.
        case when {{ ozonetel_cdr.count_if('is_answered and handling_seconds is null') }} = 0
            then sum(handling_seconds)
        end as handling_seconds,
        sum(hold_seconds) as hold_seconds,
        sum(queue_seconds) as queue_seconds,
        count(*) as event_count,
        count(distinct agent_id) as agents_tried,
        count(distinct skill) as skill_count
    from deciding
    group by account, call_id

),

waited as (

    select
        *,
        direction = 'inbound' and not is_answered and not is_in_progress as is_abandoned
    from calls

),

timed as (

    select
        *,
        case
            when is_answered then {{ ozonetel_cdr.seconds_between('started_at', 'answered_at') }}
            when is_abandoned then {{ ozonetel_cdr.seconds_between('started_at', 'ended_at') }}
        end as wait_seconds
    from waited

)

select
    account,
    call_id,
    call_date,
    start_time,
    start_hour,
    direction,
    campaign,
    customer,
    started_at,
    answered_at,
    case when not is_in_progress then ended_at end as ended_at,
    is_answered,
    is_abandoned,
    is_abandoned and coalesce(wait_seconds < {{ var('short_abandon_seconds') }}, false)
        as is_short_abandoned,
    is_in_progress,
    wait_seconds,
    case when not is_in_progress then talk_seconds end as talk_seconds,
    case when not is_in_progress then wrap_up_seconds end as wrap_up_seconds,
    case when not is_in_progress then handling_seconds end as handling_seconds,
    case when not is_in_progress then hold_seconds end as hold_seconds,
    queue_seconds,
    event_count,
    agents_tried,
    agent_id,
    agent_name,
    case when is_answered then coalesce(answering_skill, skill) else skill end as skill,
    skill_count,
    is_transferred,
    disposition,
    hangup_by,
    recording_url,
    reference
from timed
