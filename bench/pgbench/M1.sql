-- The best SQL known for M1: row and event in one statement, with session, seat, state and version looked at in it. Counted
-- as written although the state stands already: the pool is small beside what a long run writes.
\set a random(1, :A)
\set i 16 * random(0, :P / 16 - 1) + 13
WITH caller AS (
    SELECT p.id, s.alliance_id, s.organization_id FROM session e JOIN account p ON p.id = e.account_id JOIN seat s ON s.account_id = p.id
    WHERE e.id = ('01900000-0005-7000-8000-' || lpad(to_hex((:a - 1)::bigint * 6 + 4), 12, '0'))::uuid AND e.ended_at IS NULL
        AND e.expires_at > now() AND p.state = 'active' AND s.state = 'active' AND s.role IN ('member_staff', 'member_manager')),
changed AS (
    UPDATE problem SET state = 'accepted', is_open = true, handler_id = caller.id, accepted_at = now(), closed_at = NULL, version = 4
    FROM caller
    WHERE problem.id = ('01900000-000a-7000-8000-' || lpad(to_hex((:a - 1)::bigint * :P + :i), 12, '0'))::uuid
        AND problem.alliance_id = caller.alliance_id AND problem.lead_organization_id = caller.organization_id
        AND problem.state IN ('assigned', 'accepted') AND problem.version IN (3, 4)
    RETURNING problem.id, problem.alliance_id, number, title, state, version, lead_organization_id, handler_id),
told AS (
    INSERT INTO event (id, alliance_id, kind, actor_kind, actor_id, subject_kind, subject_id, organization_ids, occurred_at, digest,
        salt, payload)
    SELECT gen_random_uuid(), alliance_id, 'problem_accepted', 'account', handler_id, 'problem', id, '["' || lead_organization_id || '"]',
        now(), '\x6f26c38380c6b9680c269f9d51b513ec30104a3ee0a49a5b42177e8e31a9177d', '\x95cb96dc6bbae76f97f7f3e97fca1674',
        '{"from":"assigned","handlerId":"' || handler_id || '","number":"' || number || '","title":"' || title || '","to":"accepted"}'
    FROM changed RETURNING id)
SELECT changed.id, changed.number, changed.state, changed.version, told.id FROM changed, told;
