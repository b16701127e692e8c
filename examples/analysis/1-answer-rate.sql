-- Answer rate by day and campaign
-- One row is one leg, so calls are counted by CallID; a call is answered when one of its legs is.
SELECT
    "CallDate" AS "Day",
    "CampaignName" AS "Campaign",
    count(DISTINCT "CallID") AS "Calls",
    count(DISTINCT "CallID") FILTER (WHERE "Status" = 'Answered') AS "Answered",
    round(
        100.0 * count(DISTINCT "CallID") FILTER (WHERE "Status" = 'Answered')
        / count(DISTINCT "CallID"), 1
    ) AS "Answered %"
FROM cdr
GROUP BY "CallDate", "CampaignName"
ORDER BY "CallDate" DESC, "CampaignName";
