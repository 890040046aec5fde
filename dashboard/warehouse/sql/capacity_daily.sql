-- What is open at the end of each day of a month in London. Change the days; nothing else.
SELECT
    days.day,
    COUNT(*) AS facilities,
    SUM(facts.capacity_mw) AS capacity_mw
FROM days
JOIN facts_facility AS facts
    ON facts.valid_from < days.ends_at AND facts.valid_to >= days.ends_at
WHERE days.day BETWEEN DATE '2026-03-01' AND DATE '2026-03-31'
GROUP BY days.day
ORDER BY days.day
