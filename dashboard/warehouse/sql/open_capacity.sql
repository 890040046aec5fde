-- What is open at the end of a day in London, by technology. Change the day; nothing else.
-- Each row of facts_facility is a distinct facility: plain sums are right.
SELECT
    facts.technology,
    facts.capacity_basis,
    COUNT(*) AS facilities,
    SUM(facts.capacity_mw) AS capacity_mw,
    SUM(facts.storage_mwh) AS storage_mwh,
    SUM(facts.net_mw) AS net_mw,
    SUM(facts.gross_weighted_mw) AS gross_weighted_mw,
    SUM(facts.net_weighted_mw) AS net_weighted_mw
FROM facts_facility AS facts
JOIN days ON facts.valid_from < days.ends_at AND facts.valid_to >= days.ends_at
WHERE days.day = DATE '2026-03-31'
GROUP BY facts.technology, facts.capacity_basis
ORDER BY facts.technology, facts.capacity_basis
