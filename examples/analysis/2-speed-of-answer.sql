-- Average speed of answer by campaign
-- Inbound calls that were answered; for a transferred call, the time to its first answer.
WITH first_answers AS (
    SELECT DISTINCT ON ("CallID") "CallID", "CampaignName", "TimeToAnswerSeconds"
    FROM cdr
    WHERE "Type" = 'InBound' AND "Status" = 'Answered'
    ORDER BY "CallID", "StartedAt", "UCID"
)

SELECT
    "CampaignName" AS "Campaign",
    count(*) AS "Answered",
    round(avg("TimeToAnswerSeconds"), 1) AS "Average s",
    max("TimeToAnswerSeconds") AS "Longest s",
    round(100.0 * count(*) FILTER (WHERE "TimeToAnswerSeconds" <= 20) / count(*), 1)
        AS "Within 20 s %"
FROM first_answers
GROUP BY "CampaignName"
ORDER BY "CampaignName";
