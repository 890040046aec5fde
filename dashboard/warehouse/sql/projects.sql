-- The number of projects in each status at the end of a day in London. Change the day; nothing else.
SELECT
    facts.status,
    COUNT(DISTINCT facts.pipeline_id) AS projects
FROM facts_project_facility AS facts
JOIN days ON facts.valid_from < days.ends_at AND facts.valid_to >= days.ends_at
WHERE days.day = DATE '2026-03-31'
GROUP BY facts.status
ORDER BY facts.status
