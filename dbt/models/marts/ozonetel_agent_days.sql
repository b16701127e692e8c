with events as (

    select
        *,
        row_number() over (
            partition by account, call_date, agent_id order by {{ ozonetel_cdr.by_start() }}
        ) as event_number,
        -- Until when the agent was busy with what began before: its wrap-up, or else the call.
        max(coalesce(wrap_up_ended_at, ended_at)) over (
            partition by account, call_date, agent_id order by {{ ozonetel_cdr.by_start() }}
            rows between unbounded preceding and 1 preceding
        ) as busy_until
    from {{ ref('stg_ozonetel_cdr__events') }}
    where agent_id is not null

),

spaced as (

    select
        *,
        case
            when busy_until > started_at then 0
            else {{ ozonetel_cdr.seconds_between('busy_until', 'started_at') }}
        end as gap_seconds,
        max(case when agent_name is not null then event_number end)
            over (partition by account, call_date, agent_id) as agent_name_from
    from events

),

-- An agent can be tried twice by one call.
calls as (

    select
        account,
        call_date,
        agent_id,
        call_id,
        max(case when event_number = agent_name_from then agent_name end) as agent_name,
        {{ ozonetel_cdr.any_true('is_answered') }} as is_answered,
        sum(talk_seconds) as talk_seconds,
        sum(wrap_up_seconds) as wrap_up_seconds,
        sum(handling_seconds) as handling_seconds,
        min(started_at) as first_event_at,
        max(started_at) as last_event_at,
        min(start_time) as first_event_time,
        max(start_time) as last_event_time,
        max(gap_seconds) as longest_gap_seconds
    from spaced
    group by account, call_date, agent_id, call_id

)

select
    account,
    call_date,
    agent_id,
    max(agent_name) as agent_name,
    count(*) as calls,
    {{ ozonetel_cdr.count_if('is_answered') }} as answered,
    {{ ozonetel_cdr.count_if('talk_seconds >= ' ~ var('connected_seconds')) }} as connected,
    {{ ozonetel_cdr.ratio(ozonetel_cdr.count_if('talk_seconds >= ' ~ var('connected_seconds')), 'count(*)') }}
        as connected_share,
    {{ var('connected_seconds') }} as connected_seconds,
    sum(talk_seconds) as talk_seconds,
    sum(wrap_up_seconds) as wrap_up_seconds,
    sum(handling_seconds) as handling_seconds,
    {{ ozonetel_cdr.ratio('sum(handling_seconds)', ozonetel_cdr.count_if('is_answered')) }}
        as average_handling_seconds,
    min(first_event_at) as first_event_at,
    max(last_event_at) as last_event_at,
    min(first_event_time) as first_event_time,
    max(last_event_time) as last_event_time,
    max(longest_gap_seconds) as longest_gap_seconds
from calls
group by account, call_date, agent_id
