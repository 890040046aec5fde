-- Every project as it was known at the end of a day in London, from the history. Change the day;
-- nothing else. Any history table can be read so.
SELECT versions.*
FROM (
    SELECT
        history.*,
        LEAD(history.recorded_at) OVER (
            PARTITION BY history.id ORDER BY history.recorded_at, history.history_id
        ) AS known_until
    FROM history_pipeline AS history
) AS versions
JOIN days ON versions.recorded_at < days.ends_at
    AND (versions.known_until IS NULL OR versions.known_until >= days.ends_at)
WHERE days.day = DATE '2026-03-31' AND versions.action <> 'removed'
ORDER BY versions.id
