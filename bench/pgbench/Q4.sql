-- The best SQL known for Q4: one statement, session and tenant wall within it.
\set a random(1, :A)
\set k random(1, 6)
\set i random(1, :P)
WITH found AS (
    SELECT p.id, p.number, p.title, p.state, p.category, p.recorded_at, p.due_on, a.name AS alliance, o.name AS lead
    FROM problem p JOIN alliance a ON a.id = p.alliance_id LEFT JOIN organization o ON o.id = p.lead_organization_id
    WHERE p.id = ('01900000-000a-7000-8000-' || lpad(to_hex((:a - 1)::bigint * :P + :i), 12, '0'))::uuid AND p.alliance_id IN (SELECT c.descendant_id FROM seat s JOIN account p ON p.id = s.account_id JOIN session e ON e.account_id = p.id JOIN alliance_closure c ON c.ancestor_id = s.alliance_id
    WHERE e.id = ('01900000-0005-7000-8000-' || lpad(to_hex((:a - 1)::bigint * 6 + :k), 12, '0'))::uuid AND e.ended_at IS NULL AND e.expires_at > now()
        AND p.state = 'active' AND s.state = 'active' AND (c.depth = 0 OR s.role IN ('committee', 'approver', 'observer'))))
SELECT found.*, NULL::text, NULL::text, e.kind, e.occurred_at, p.display_name, e.payload
FROM found LEFT JOIN LATERAL (SELECT kind, occurred_at, actor_id, payload FROM event WHERE subject_id = found.id
    ORDER BY occurred_at, id LIMIT 21) e ON true LEFT JOIN account p ON p.id = e.actor_id
UNION ALL
SELECT found.*, o.name, o.kind, NULL, NULL, NULL, NULL
FROM found JOIN problem_responsible r ON r.problem_id = found.id JOIN organization o ON o.id = r.organization_id;
