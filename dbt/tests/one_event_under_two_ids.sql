{{ config(severity='warn') }}
-- Whether ids stay the same when the API's current day becomes a past one is likely, not proven. Two
-- events of one agent with one customer that began in the same second look like one event twice,
-- unless one call tried the agent twice in vain, as inbound calls do.
select
    account,
    agent_id,
    customer,
    started_at,
    count(*) as events,
    min(call_id) as one_call_id,
    max(call_id) as other_call_id,
    min(ucid) as one_ucid,
    max(ucid) as other_ucid
from {{ ref('stg_ozonetel_cdr__events') }}
where agent_id is not null and customer is not null and started_at is not null
group by account, agent_id, customer, started_at
having
    count(distinct call_id) > 1
    or {{ ozonetel_cdr.count_if('is_answered') }} > 1
