-- Every call is in exactly one row of each mart that counts calls, and every event in its call.
with counts as (

    select
        'campaign days' as mart,
        (select sum(calls) from {{ ref('ozonetel_campaign_days') }}) as counted,
        (select count(*) from {{ ref('ozonetel_calls') }}) as expected
    union all
    select
        'hours',
        (select sum(calls) from {{ ref('ozonetel_hours') }}),
        (select count(*) from {{ ref('ozonetel_calls') }})
    union all
    select
        'customers',
        (select sum(calls) from {{ ref('ozonetel_customers') }}),
        (select count(*) from {{ ref('ozonetel_calls') }} where customer is not null)
    union all
    select
        'calls',
        (select sum(event_count) from {{ ref('ozonetel_calls') }}),
        (select count(*) from {{ ref('stg_ozonetel_cdr__events') }})

)

select * from counts where coalesce(counted, 0) <> expected
