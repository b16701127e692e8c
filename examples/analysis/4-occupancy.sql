-- Occupancy by agent
-- The records hold no log-ins: a shift is taken to last from an agent's first answer of a day to
-- the end of the last call's handling, so the true occupancy is somewhat lower.
WITH shifts AS (
    SELECT
        "AgentName",
        count(*) AS answered,
        sum("HandlingTimeSeconds") AS handling,
        extract(
            epoch FROM max("PickedUpAt" + "HandlingTimeSeconds" * INTERVAL '1 second')
            - min("PickedUpAt")
        ) AS shift
    FROM cdr
    WHERE "Status" = 'Answered' AND "AgentName" <> ''
    GROUP BY "AgentName", "CallDate"
)

SELECT
    "AgentName" AS "Agent",
    count(*) AS "Days",
    sum(answered) AS "Answered",
    cast(round(sum(handling) / sum(answered)) AS integer) AS "Handling s",
    round(100.0 * sum(handling) / nullif(sum(shift), 0), 1) AS "Occupancy %"
FROM shifts
GROUP BY "AgentName"
ORDER BY sum(handling) / nullif(sum(shift), 0) DESC NULLS LAST, "AgentName";
