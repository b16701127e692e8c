with calls as (

    select
        *,
        is_answered and direction = 'inbound'
        and coalesce(wait_seconds <= {{ var('service_level_seconds') }}, false) as is_in_time,
        is_abandoned and not is_short_abandoned as is_lost
    from {{ ref('ozonetel_calls') }}

),

counted as (

    select
        account,
        call_date,
        campaign,
        direction,
        count(*) as calls,
        {{ ozonetel_cdr.count_if('is_answered') }} as answered,
        {{ ozonetel_cdr.count_if('is_lost') }} as abandoned,
        {{ ozonetel_cdr.count_if('is_short_abandoned') }} as short_abandoned,
        {{ ozonetel_cdr.count_if('is_in_progress') }} as in_progress,
        {{ ozonetel_cdr.count_if('is_in_progress and not is_answered') }} as undecided,
        {{ ozonetel_cdr.count_if('is_in_time') }} as answered_in_time,
        {{ ozonetel_cdr.ratio('sum(case when is_answered then wait_seconds end)', ozonetel_cdr.count_if('is_answered and wait_seconds is not null')) }}
            as average_wait_seconds,
        max(case when is_answered then wait_seconds end) as longest_wait_seconds,
        {{ ozonetel_cdr.ratio('sum(case when is_answered then handling_seconds end)', ozonetel_cdr.count_if('is_answered and handling_seconds is not null')) }}
            as average_handling_seconds
    from calls
    group by account, call_date, campaign, direction

),

offered as (

    select *, calls - short_abandoned - undecided as offered from counted

)

select
    account,
    call_date,
    campaign,
    direction,
    calls,
    in_progress,
    offered,
    answered,
    abandoned,
    short_abandoned,
    {{ ozonetel_cdr.ratio('answered', 'offered') }} as answered_share,
    {{ ozonetel_cdr.ratio('abandoned', 'offered') }} as abandoned_share,
    average_wait_seconds,
    longest_wait_seconds,
    case when direction = 'inbound' then answered_in_time end as answered_in_time,
    case when direction = 'inbound' then {{ ozonetel_cdr.ratio('answered_in_time', 'offered') }} end
        as service_level,
    case when direction = 'inbound' then {{ ozonetel_cdr.ratio('answered_in_time', 'answered') }} end
        as service_level_of_answered,
    {{ var('service_level_seconds') }} as service_level_seconds,
    average_handling_seconds
from offered
