-- What is open at the end of a day in London, from the history alone. Change the day; nothing else.
-- Of each record the newest row that was recorded by then counts. Facilities that a link dated back
-- refers to earlier than that have their first row; of stages, rows that set-up made hold on every
-- day, and the highest version counts.
WITH moment AS (
    SELECT ends_at FROM days WHERE day = DATE '2026-03-31'
),
projects AS (
    SELECT id, stage_id, outcome, on_hold, action,
        ROW_NUMBER() OVER (PARTITION BY id ORDER BY recorded_at DESC, history_id DESC) AS place
    FROM history_pipeline CROSS JOIN moment
    WHERE recorded_at < ends_at
),
links AS (
    SELECT id, pipeline_id, facility_id, action,
        ROW_NUMBER() OVER (PARTITION BY id ORDER BY recorded_at DESC, history_id DESC) AS place
    FROM history_pipelinefacility CROSS JOIN moment
    WHERE recorded_at < ends_at
),
facilities AS (
    SELECT id, capacity_mw, action,
        ROW_NUMBER() OVER (
            PARTITION BY id
            ORDER BY
                CASE WHEN recorded_at < ends_at THEN 0 ELSE 1 END,
                CASE WHEN recorded_at < ends_at THEN recorded_at END DESC,
                CASE WHEN recorded_at < ends_at THEN history_id END DESC,
                recorded_at,
                history_id
        ) AS place
    FROM history_facility CROSS JOIN moment
),
stages AS (
    SELECT id, is_terminal,
        ROW_NUMBER() OVER (
            PARTITION BY id
            ORDER BY
                CASE WHEN recorded_at < ends_at OR change_source = 'migration' THEN 0 ELSE 1 END,
                version DESC,
                history_id DESC
        ) AS place
    FROM history_stage CROSS JOIN moment
)
SELECT
    COUNT(*) AS facilities,
    SUM(counted.capacity_mw) AS capacity_mw
FROM (
    SELECT facilities.id, MAX(facilities.capacity_mw) AS capacity_mw
    FROM projects
    JOIN stages ON stages.id = projects.stage_id AND stages.place = 1
    JOIN links ON links.pipeline_id = projects.id AND links.place = 1 AND links.action <> 'removed'
    JOIN facilities ON facilities.id = links.facility_id AND facilities.place = 1
    WHERE projects.place = 1 AND projects.action <> 'removed' AND projects.outcome = 'active'
        AND NOT projects.on_hold AND NOT stages.is_terminal
    GROUP BY facilities.id
) AS counted
