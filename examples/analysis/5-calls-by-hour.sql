-- Calls by hour of the day
-- The hour is the account's own: StartTime is text in the account's time zone.
WITH calls AS (
    SELECT DISTINCT ON ("CallID") "CallID", substr("StartTime", 1, 2) AS hour
    FROM cdr
    WHERE "StartTime" <> ''
    ORDER BY "CallID", "StartedAt", "UCID"
)

SELECT
    hour AS "Hour",
    count(*) AS "Calls",
    repeat('█', cast(ceil(50.0 * count(*) / max(count(*)) OVER ()) AS integer)) AS " "
FROM calls
GROUP BY hour
ORDER BY hour;
