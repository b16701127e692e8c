select
    account,
    call_date,
    start_hour,
    direction,
    count(*) as calls,
    {{ ozonetel_cdr.count_if('is_answered') }} as answered,
    {{ ozonetel_cdr.count_if('is_abandoned and not is_short_abandoned') }} as abandoned
from {{ ref('ozonetel_calls') }}
group by account, call_date, start_hour, direction
