-- The API has two spellings, the current day's and that of past days: here they become one.
with worded as (

    select
        *,
        lower(replace(type, ' ', '')) as compact_type,
        lower(replace(event, ' ', '')) as compact_event,
        lower(status) = 'answered' as is_answered,
        -- In a queue that is over, the agent is NotDialed as well: both words are needed.
        lower(agent_dial_status) = 'queued'
        and coalesce(lower(customer_dial_status), 'notdialed') = 'notdialed' as is_waiting_to_dial
    from {{ ref('base_ozonetel_cdr__rows') }}

),

progress as (

    select
        *,
        -- A running call is listed as an answered one of one second that nobody has hung up yet, or
        -- as one of no length whose turn to be dialed has not come.
        hangup_by is null
        and (
            (coalesce(is_answered, false) and coalesce(talk_seconds, 0) <= 1)
            or (not coalesce(is_answered, false) and is_waiting_to_dial and duration_seconds = 0)
        ) as running
    from worded

),

flagged as (

    select *, coalesce(running, false) as is_in_progress from progress

)

select
    account,
    call_id,
    ucid,
    call_date,
    start_time,
    {{ ozonetel_cdr.local_hour('start_time') }} as start_hour,
    case
        when compact_type in ('inbound', 'manual', 'progressive') then compact_type
        else lower(type)
    end as direction,
    case
        when compact_event in ('agentdial', 'agentdials') then 'agent'
        when compact_event = 'queue' then 'queue'
        when compact_event in ('skilltransfer', 'skilltransfers') then 'skill_transfer'
        when compact_event = 'disconnect' then 'disconnect'
        when compact_event in ('customerdial', 'customerdials') then 'customer'
        when compact_event in ('dialout', 'dialouts') then 'dial_out'
        else event
    end as event,
    is_answered,
    is_in_progress,
    campaign,
    skill,
    agent_id,
    agent_name,
    customer,
    caller_id,
    did,
    dynamic_did,
    dialed_number,
    dial_out_name,
    dial_status,
    agent_dial_status,
    customer_dial_status,
    call_flow,
    dial_count,
    hangup_by,
    transfer_type,
    transferred_to,
    disposition,
    comments,
    nullif(rating, 0) as rating,
    rating_comments,
    location,
    reference,
    recording_url,
    conference_recording_url,
    video_recording_url,
    started_at,
    -- The pick-up of an unanswered manual call is its end, and none.
    case when is_answered then picked_up_at end as picked_up_at,
    case when not is_in_progress then ended_at end as ended_at,
    wrap_up_started_at,
    wrap_up_ended_at,
    case when not is_in_progress then duration_seconds end as duration_seconds,
    case when is_answered and not is_in_progress then talk_seconds end as talk_seconds,
    -- None is null on the current day and 00:00:00 on a past one.
    case when not is_in_progress then nullif(wrap_up_seconds, 0) end as wrap_up_seconds,
    case
        when is_in_progress then null
        when is_answered then handling_seconds
        else nullif(handling_seconds, 0)
    end as handling_seconds,
    case when is_answered then time_to_answer_seconds end as time_to_answer_seconds,
    case when not is_in_progress then hold_seconds end as hold_seconds,
    case when not is_in_progress then conference_seconds end as conference_seconds,
    customer_ring_seconds,
    queue_seconds,
    additional_fields
from flagged
