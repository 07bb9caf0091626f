-- The best SQL known for Q1: one statement, session and tenant wall within it. IS TRUE keeps the wall a filter: as a join it
-- would lead the planner away from the index that is in the order asked for.
\set a random(1, :A)
\set k random(1, 6)
WITH wall (alliance_id) AS MATERIALIZED (SELECT c.descendant_id FROM seat s JOIN account p ON p.id = s.account_id JOIN session e ON e.account_id = p.id JOIN alliance_closure c ON c.ancestor_id = s.alliance_id
    WHERE e.id = ('01900000-0005-7000-8000-' || lpad(to_hex((:a - 1)::bigint * 6 + :k), 12, '0'))::uuid AND e.ended_at IS NULL AND e.expires_at > now()
        AND p.state = 'active' AND s.state = 'active' AND (c.depth = 0 OR s.role IN ('committee', 'approver', 'observer')))
SELECT t.id, t.title, t.due_on, t.state, t.percent, l.month_on, l.title, a.name, o.name
FROM priority_task t JOIN task_list l ON l.id = t.task_list_id JOIN alliance a ON a.id = t.alliance_id
    JOIN organization o ON o.id = t.lead_organization_id
WHERE t.lead_organization_id = ('01900000-0002-7000-8000-' || lpad(to_hex((:a - 1)::bigint * :O + 1), 12, '0'))::uuid
    AND t.is_open AND t.published_at IS NOT NULL AND (t.alliance_id IN (SELECT alliance_id FROM wall)) IS TRUE
ORDER BY t.due_on, t.id LIMIT 21;
