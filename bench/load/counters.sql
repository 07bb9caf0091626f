-- Fills the counters of the dashboard from the rows that `data.sql` made, for its triggers stood back meanwhile. Afterwards
-- they are at work in every measurement, so nothing has to be counted again. Every alliance of the set is in Beijing's zone.
DELETE FROM month_count;
DELETE FROM open_due_count;
DELETE FROM alliance_count;

INSERT INTO alliance_count (alliance_id, task_draft, task_published, task_acknowledged, task_in_progress, task_submitted,
    task_completed, task_cancelled, task_cancelled_draft, problem_registered, problem_triaged, problem_assigned,
    problem_accepted, problem_in_progress, problem_submitted, problem_verified, problem_struck_off, problem_rejected,
    problem_withdrawn, problem_closed_at_source, problem_unclosed)
SELECT a.id, COALESCE(t.draft, 0), COALESCE(t.published, 0), COALESCE(t.acknowledged, 0), COALESCE(t.in_progress, 0),
    COALESCE(t.submitted, 0), COALESCE(t.completed, 0), COALESCE(t.cancelled, 0), COALESCE(t.cancelled_draft, 0),
    COALESCE(p.registered, 0), COALESCE(p.triaged, 0), COALESCE(p.assigned, 0), COALESCE(p.accepted, 0),
    COALESCE(p.in_progress, 0), COALESCE(p.submitted, 0), COALESCE(p.verified, 0), COALESCE(p.struck_off, 0),
    COALESCE(p.rejected, 0), COALESCE(p.withdrawn, 0), COALESCE(p.closed_at_source, 0), COALESCE(p.unclosed, 0)
FROM alliance a
LEFT JOIN (SELECT alliance_id, count(*) FILTER (WHERE state = 'draft') draft,
        count(*) FILTER (WHERE state = 'published') published, count(*) FILTER (WHERE state = 'acknowledged') acknowledged,
        count(*) FILTER (WHERE state = 'in_progress') in_progress, count(*) FILTER (WHERE state = 'submitted') submitted,
        count(*) FILTER (WHERE state = 'completed') completed, count(*) FILTER (WHERE state = 'cancelled') cancelled,
        count(*) FILTER (WHERE state = 'cancelled' AND published_at IS NULL) cancelled_draft
    FROM priority_task GROUP BY alliance_id) t ON t.alliance_id = a.id
LEFT JOIN (SELECT alliance_id, count(*) FILTER (WHERE state = 'registered') registered,
        count(*) FILTER (WHERE state = 'triaged') triaged, count(*) FILTER (WHERE state = 'assigned') assigned,
        count(*) FILTER (WHERE state = 'accepted') accepted, count(*) FILTER (WHERE state = 'in_progress') in_progress,
        count(*) FILTER (WHERE state = 'submitted') submitted, count(*) FILTER (WHERE state = 'verified') verified,
        count(*) FILTER (WHERE state = 'struck_off') struck_off, count(*) FILTER (WHERE state = 'rejected') rejected,
        count(*) FILTER (WHERE state = 'withdrawn') withdrawn, count(*) FILTER (WHERE state = 'closed_at_source') closed_at_source,
        count(*) FILTER (WHERE closed_at IS NULL AND state NOT IN ('rejected', 'withdrawn')) unclosed
    FROM problem GROUP BY alliance_id) p ON p.alliance_id = a.id;

INSERT INTO open_due_count (alliance_id, due_on, tasks, problems)
SELECT alliance_id, due_on, sum(task), sum(problem) FROM (
    SELECT alliance_id, due_on, 1 task, 0 problem FROM priority_task WHERE is_open
    UNION ALL SELECT alliance_id, due_on, 0, 1 FROM problem WHERE is_open AND due_on IS NOT NULL
        AND NOT due_is_provisional AND (rested_on IS NULL OR rested_on > due_on)) item
GROUP BY alliance_id, due_on;

INSERT INTO month_count (alliance_id, month_on, recorded, closed)
WITH dated AS (
    SELECT alliance_id, date_trunc('month', COALESCE(recorded_on, (recorded_at AT TIME ZONE 'Asia/Shanghai')::date)::timestamp)::date AS recorded,
        date_trunc('month', CASE WHEN closed_at IS NOT NULL
            THEN COALESCE(closed_on, (closed_at AT TIME ZONE 'Asia/Shanghai')::date) END::timestamp)::date AS closed
    FROM problem WHERE state NOT IN ('rejected', 'withdrawn')),
counted AS (SELECT * FROM dated WHERE closed IS NULL OR closed >= recorded)
SELECT alliance_id, month_on, sum(recorded), sum(closed) FROM (
    SELECT alliance_id, recorded AS month_on, 1 AS recorded, 0 AS closed FROM counted
    UNION ALL SELECT alliance_id, closed, 0, 1 FROM counted WHERE closed IS NOT NULL) moved
GROUP BY alliance_id, month_on;
