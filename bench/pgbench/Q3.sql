-- The best SQL known for Q3: one statement, session and tenant wall within it. IS TRUE as in Q1.
\set a random(1, :A)
\set k random(1, 6)
WITH wall (alliance_id) AS MATERIALIZED (SELECT c.descendant_id FROM seat s JOIN account p ON p.id = s.account_id JOIN session e ON e.account_id = p.id JOIN alliance_closure c ON c.ancestor_id = s.alliance_id
    WHERE e.id = ('01900000-0005-7000-8000-' || lpad(to_hex((:a - 1)::bigint * 6 + :k), 12, '0'))::uuid AND e.ended_at IS NULL AND e.expires_at > now()
        AND p.state = 'active' AND s.state = 'active' AND (c.depth = 0 OR s.role IN ('committee', 'approver', 'observer')))
SELECT a.name, m.id, m.state, o.id, o.name, o.kind, t.id, t.title, t.due_on, t.state
FROM alliance a
    JOIN LATERAL (SELECT id, state, organization_id, created_at FROM membership
        WHERE alliance_id = a.id AND state = 'active' ORDER BY created_at, id LIMIT 50) m ON true
    JOIN organization o ON o.id = m.organization_id
    LEFT JOIN LATERAL (SELECT id, title, due_on, state FROM priority_task
        WHERE lead_organization_id = o.id AND is_open AND published_at IS NOT NULL
            AND (alliance_id IN (SELECT alliance_id FROM wall)) IS TRUE
        ORDER BY due_on, id LIMIT 5) t ON true
WHERE a.id = ('01900000-0003-7000-8000-' || lpad(to_hex(:a::bigint), 12, '0'))::uuid AND a.id IN (SELECT alliance_id FROM wall)
ORDER BY m.created_at, m.id, t.due_on, t.id;
