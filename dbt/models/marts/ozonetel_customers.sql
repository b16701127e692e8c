with inbound as (

    select
        account,
        call_id,
        lag(started_at) over (partition by account, customer order by started_at, call_id)
            as previous_started_at
    from {{ ref('ozonetel_calls') }}
    where direction = 'inbound' and customer is not null and started_at is not null

)

select
    calls.account,
    calls.customer,
    count(*) as calls,
    {{ ozonetel_cdr.count_if('calls.is_answered') }} as answered,
    {{ ozonetel_cdr.count_if("calls.direction = 'inbound'") }} as inbound_calls,
    {{ ozonetel_cdr.count_if("calls.is_abandoned and not calls.is_short_abandoned") }} as abandoned,
    {{ ozonetel_cdr.count_if(
        ozonetel_cdr.seconds_between('inbound.previous_started_at', 'calls.started_at')
        ~ ' <= 86400 * ' ~ var('repeat_days')) }} as repeat_calls,
    {{ var('repeat_days') }} as repeat_days,
    min(calls.started_at) as first_call_at,
    max(calls.started_at) as last_call_at,
    min(calls.call_date) as first_call_date,
    max(calls.call_date) as last_call_date
from {{ ref('ozonetel_calls') }} as calls
left join inbound
    on calls.account = inbound.account and calls.call_id = inbound.call_id
where calls.customer is not null
group by calls.account, calls.customer
