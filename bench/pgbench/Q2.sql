-- The best SQL known for Q2 without stored counters: one statement, session and tenant wall within it.
\set a random(1, :A)
\set k random(1, 6)
SELECT a.name, t.*, p.* FROM alliance a,
    LATERAL (SELECT count(*) FILTER (WHERE state = 'published'), count(*) FILTER (WHERE state = 'acknowledged'),
        count(*) FILTER (WHERE state = 'in_progress'), count(*) FILTER (WHERE state = 'submitted'),
        count(*) FILTER (WHERE state = 'completed'), count(*) FILTER (WHERE state = 'cancelled'), count(*) FILTER (WHERE is_open),
        count(*) FILTER (WHERE is_open AND due_on < current_date) FROM priority_task WHERE alliance_id = a.id) t,
    LATERAL (SELECT count(*) FILTER (WHERE state = 'registered'), count(*) FILTER (WHERE state = 'triaged'),
        count(*) FILTER (WHERE state = 'assigned'), count(*) FILTER (WHERE state = 'accepted'),
        count(*) FILTER (WHERE state = 'in_progress'), count(*) FILTER (WHERE state = 'submitted'),
        count(*) FILTER (WHERE state = 'verified'), count(*) FILTER (WHERE state = 'struck_off'),
        count(*) FILTER (WHERE state = 'rejected'), count(*) FILTER (WHERE state = 'withdrawn'),
        count(*) FILTER (WHERE state = 'closed_at_source'),
        count(*) FILTER (WHERE recorded_at < date_trunc('month', now()) + interval '1 month' AND state NOT IN ('rejected', 'withdrawn')
            AND (closed_at IS NULL OR closed_at >= date_trunc('month', now()))),
        count(*) FILTER (WHERE closed_at >= date_trunc('month', now()) AND state NOT IN ('rejected', 'withdrawn'))
        FROM problem WHERE alliance_id = a.id) p
WHERE a.id = ('01900000-0003-7000-8000-' || lpad(to_hex(:a::bigint), 12, '0'))::uuid AND a.id IN (SELECT c.descendant_id FROM seat s JOIN account p ON p.id = s.account_id JOIN session e ON e.account_id = p.id JOIN alliance_closure c ON c.ancestor_id = s.alliance_id
    WHERE e.id = ('01900000-0005-7000-8000-' || lpad(to_hex((:a - 1)::bigint * 6 + :k), 12, '0'))::uuid AND e.ended_at IS NULL AND e.expires_at > now()
        AND p.state = 'active' AND s.state = 'active' AND (c.depth = 0 OR s.role IN ('committee', 'approver', 'observer')));
