-- What is open at the end of a day in London, by stage. Change the day; nothing else.
-- Projects share facilities: each counts once in each group, with the highest values. Replace
-- stage by rag_status, rtb_bucket or responsible_id for other groups.
SELECT
    grouped.stage,
    COUNT(*) AS facilities,
    SUM(grouped.capacity_mw) AS capacity_mw,
    SUM(grouped.storage_mwh) AS storage_mwh,
    SUM(grouped.net_mw) AS net_mw,
    SUM(grouped.gross_weighted_mw) AS gross_weighted_mw,
    SUM(grouped.net_weighted_mw) AS net_weighted_mw
FROM (
    SELECT
        facts.stage,
        facts.facility_id,
        MAX(facts.capacity_mw) AS capacity_mw,
        MAX(facts.storage_mwh) AS storage_mwh,
        MAX(facts.net_mw) AS net_mw,
        MAX(facts.gross_weighted_mw) AS gross_weighted_mw,
        MAX(facts.net_weighted_mw) AS net_weighted_mw
    FROM facts_project_facility AS facts
    JOIN days ON facts.valid_from < days.ends_at AND facts.valid_to >= days.ends_at
    WHERE days.day = DATE '2026-03-31' AND facts.is_open AND facts.facility_id IS NOT NULL
    GROUP BY facts.stage, facts.facility_id
) AS grouped
GROUP BY grouped.stage
ORDER BY grouped.stage
