-- Who holds what is open at the end of a day in London. Change the day; nothing else.
-- The holder 00000000-0000-0000-0000-000000000000 is nobody. Across holders the sums may add up to
-- more than the total, where projects share facilities.
SELECT
    facts.holder_id,
    COUNT(*) AS facilities,
    SUM(facts.held_mw) AS held_mw
FROM facts_holder AS facts
JOIN days ON facts.valid_from < days.ends_at AND facts.valid_to >= days.ends_at
WHERE days.day = DATE '2026-03-31'
GROUP BY facts.holder_id
ORDER BY facts.holder_id
