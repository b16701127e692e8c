-- Inbound calls abandoned within so many seconds
-- Abandoned: no leg was answered. The wait lasts from the first leg's start to the last one's end.
WITH calls AS (
    SELECT
        count(*) FILTER (WHERE "Status" = 'Answered') AS answered_legs,
        extract(epoch FROM max("EndedAt") - min("StartedAt")) AS waited
    FROM cdr
    WHERE "Type" = 'InBound'
    GROUP BY "CallID"
),

limits (seconds) AS (VALUES (5), (10), (20), (30), (60), (120))

SELECT
    limits.seconds AS "Within s",
    count(*) FILTER (WHERE answered_legs = 0 AND waited <= limits.seconds) AS "Abandoned",
    round(
        100.0 * count(*) FILTER (WHERE answered_legs = 0 AND waited <= limits.seconds) / count(*), 1
    ) AS "% of calls"
FROM limits
CROSS JOIN calls
GROUP BY limits.seconds
ORDER BY limits.seconds;
