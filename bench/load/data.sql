-- The data set, into the tables that `concord migrate` made. Set-based, and the same rows each time: chance is a hash of
-- the row's number, and only dates move with the day of the load.
--   psql -v A=2000 -v O=60 -v M=120 -v T=500 -v P=500 -v E=2500 -f data.sql
-- A alliances; O organisations at home in each; M members of each (the next alliance's organisations fill up);
-- T tasks, P problems and E events of each.
-- Sealed events carry true payload digests, yet the links of the chain are made up: `concord verify` would stop at the
-- first of them. Real links need each hash before the next, which no set-based statement gives.
\set ON_ERROR_STOP 1
\timing on
SET session_replication_role = replica;
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB';
SET timezone = 'Asia/Shanghai';

-- Identifiers sort by number, as the time-ordered ones of a running server sort by time.
CREATE FUNCTION pg_temp.bid(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT ('01900000-' || lpad(to_hex(kind), 4, '0') || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.region(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT pg_temp.bid(1, n) $$;
CREATE FUNCTION pg_temp.organization(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT pg_temp.bid(2, n) $$;
CREATE FUNCTION pg_temp.alliance(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT pg_temp.bid(3, n) $$;
CREATE FUNCTION pg_temp.account(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT pg_temp.bid(4, n) $$;
CREATE FUNCTION pg_temp.task(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT pg_temp.bid(9, n) $$;
CREATE FUNCTION pg_temp.problem(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT pg_temp.bid(10, n) $$;
-- A number from 0 up to 1 that depends on `n` and on what it is drawn for.
CREATE FUNCTION pg_temp.chance(n bigint, what int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(n, what) & 1048575)::float8 / 1048576 $$;

BEGIN;
-- Emptied within the transaction that fills them: a server with minimal logging then writes each row once.
TRUNCATE region, organization, alliance, alliance_closure, membership, account, session, seat, task_list, priority_task,
    problem_sequence, problem, problem_responsible, stored_file, evidence, event, event_seal,
    event_organization, event_chain, event_pending, hand_cursor CASCADE;

-- Territory: a province, a prefecture, and under it each eleventh region a county with the ten that follow as its towns.
INSERT INTO region (id, parent_id, code, name, level, path, created_at)
SELECT pg_temp.region(n), CASE WHEN n = 2 THEN pg_temp.region(1) END, NULL, '样本省份' || n,
    CASE n WHEN 1 THEN 'province' ELSE 'prefecture' END, CASE n WHEN 1 THEN '/1/' ELSE '/1/2/' END,
    now() - interval '3 years'
FROM generate_series(1, 2) n;
CREATE TEMP TABLE place AS
SELECT a, a - (a - 1) % 11 AS county, (a - 1) % 11 = 0 AS is_county FROM generate_series(1, :A) a;
INSERT INTO region (id, parent_id, code, name, level, path, created_at)
SELECT pg_temp.region(a + 10), CASE WHEN is_county THEN pg_temp.region(2) ELSE pg_temp.region(county + 10) END, NULL,
    CASE WHEN is_county THEN '第' || a || '县' ELSE '第' || a || '镇' END,
    CASE WHEN is_county THEN 'county' ELSE 'township' END,
    '/1/2/' || CASE WHEN is_county THEN '' ELSE county || 'c/' END || a || CASE WHEN is_county THEN 'c/' ELSE 't/' END,
    now() - interval '3 years'
FROM place;

-- Organisation i of alliance a, both counted from 1 and 0, has the number (a - 1) * O + i + 1; the last one at home is
-- the committee.
INSERT INTO organization (id, name, short_name, kind, credit_code, region_id, created_at, version)
SELECT pg_temp.organization(n),
    (ARRAY['镇市场监督管理所', '临港物流有限公司', '滨河物业服务中心', '红马甲志愿服务队', '第三中心小学'])[1 + n % 5] || n, NULL,
    CASE WHEN n % :O = 0 THEN 'town_committee' ELSE
        (ARRAY['government_unit', 'enterprise', 'property_management', 'volunteer_group', 'school_or_hospital'])[1 + n % 5] END,
    NULL, pg_temp.region((n - 1) / :O + 11), now() - interval '2 years', 1
FROM generate_series(1, :A * :O) n;

INSERT INTO alliance (id, name, region_id, parent_id, committee_organization_id, oversight_organization_id, time_zone,
    number_pattern, check_in_working_day, created_at, version)
SELECT pg_temp.alliance(a), '第' || a || CASE WHEN is_county THEN '县' ELSE '镇' END || '基层治理联盟', pg_temp.region(a + 10),
    CASE WHEN NOT is_county THEN pg_temp.alliance(county) END, pg_temp.organization(a * :O), NULL, 'Asia/Shanghai',
    '第' || a || '号销〔{year}〕{seq:4}号', 5, now() - interval '2 years', 1
FROM place;
INSERT INTO alliance_closure (ancestor_id, descendant_id, depth)
SELECT pg_temp.alliance(a), pg_temp.alliance(a), 0 FROM place
UNION ALL SELECT pg_temp.alliance(county), pg_temp.alliance(a), 1 FROM place WHERE NOT is_county;

INSERT INTO membership (id, alliance_id, organization_id, state, contact_name, contact_title, contact_phone, reason,
    created_at, admitted_at, ended_at, version)
SELECT pg_temp.bid(7, (a - 1) * :M + i + 1), pg_temp.alliance(a),
    pg_temp.organization(((a - 1) * :O + i) % (:A * :O)::bigint + 1), 'active', '联络员' || i, '主任', '138' || lpad((a * 200 + i)::text, 8, '0'),
    NULL, at, at + interval '3 days', NULL, 2
FROM generate_series(1, :A) a, generate_series(0, :M - 1) i,
    LATERAL (SELECT now() - interval '700 days' + i * interval '1 hour' AS at) moment;

-- Six people an alliance. Seat k of alliance a is that of account (a - 1) * 6 + k + 1; sessions bear the same number.
CREATE TEMP TABLE person AS
SELECT (a - 1) * 6 + k + 1 AS n, a,
    (ARRAY['committee', 'approver', 'member_staff', 'member_staff', 'verifier', 'observer'])[k + 1] AS role,
    -- Which organisation at home the person acts for: the two staffed ones are the first two.
    CASE k WHEN 0 THEN :O WHEN 2 THEN 1 WHEN 3 THEN 2 WHEN 4 THEN 3 END AS organization
FROM generate_series(1, :A) a, generate_series(0, 5) k;
INSERT INTO account (id, username, display_name, phone, password_hash, state, is_platform_admin, failed_attempts,
    locked_until_at, created_at, disabled_at, version)
SELECT pg_temp.account(n), 'bench-' || n, '样本人员' || n, NULL, NULL, 'active', false, 0, NULL, now() - interval '1 year', NULL, 1
FROM person;
INSERT INTO session (id, account_id, created_at, expires_at, ended_at, ended_reason)
SELECT pg_temp.bid(5, n), pg_temp.account(n), now(), now() + interval '10 years', NULL, NULL FROM person;
INSERT INTO seat (id, account_id, alliance_id, role, organization_id, region_id, state, granted_by, granted_at, ended_at,
    version)
SELECT pg_temp.bid(6, n), pg_temp.account(n), pg_temp.alliance(a), role,
    CASE WHEN organization IS NOT NULL THEN pg_temp.organization((a - 1) * :O + organization) END, NULL, 'active', NULL,
    now() - interval '1 year', NULL, 1
FROM person;

-- Twelve months of task lists, the present month being the tenth.
INSERT INTO task_list (id, alliance_id, month_on, slot_id, title, state, published_at, created_by, created_at, version)
SELECT pg_temp.bid(8, (a - 1) * 12 + m + 1), pg_temp.alliance(a), month, NULL, to_char(month, 'YYYY"年"MM"月重点任务清单"'),
    'published', month - interval '6 days', pg_temp.account((a - 1) * 6 + 1), month - interval '9 days', 2
FROM generate_series(1, :A) a, generate_series(0, 11) m,
    LATERAL (SELECT (date_trunc('month', now()) + (m - 9) * interval '1 month')::date AS month) list;

-- A few organisations lead most of the tasks; two in five are open.
CREATE TEMP TABLE drawn_task AS
SELECT n, a, i, month, month + floor(pg_temp.chance(n, 1) * 28)::int AS due_on,
    floor(:M * power(pg_temp.chance(n, 2), 3))::bigint AS lead,
    (ARRAY['published', 'acknowledged', 'acknowledged', 'in_progress', 'in_progress', 'in_progress', 'in_progress',
        'submitted', 'completed', 'completed', 'completed', 'completed', 'completed', 'completed', 'completed',
        'completed', 'completed', 'completed', 'completed', 'cancelled'])[1 + floor(pg_temp.chance(n, 3) * 20)::int] AS state
FROM (SELECT (a - 1) * :T::bigint + i AS n, a, i,
        (date_trunc('month', now()) + (i % 12 - 9) * interval '1 month')::date AS month
    FROM generate_series(1, :A) a, generate_series(1, :T) i) numbered;
-- What is or comes due has been told of; otherwise the server would begin by telling of hundreds of thousands.
INSERT INTO priority_task (id, alliance_id, task_list_id, place, title, content, criterion, source, lead_organization_id,
    region_id, starts_on, due_on, due_told_on, state, is_open, percent, responsible_name, reason, returned_count, published_at,
    acknowledged_at, submitted_at, completed_at, created_by, created_at, version)
SELECT pg_temp.task(n), pg_temp.alliance(a), pg_temp.bid(8, (a - 1) * 12 + i % 12 + 1), i / 12 + 1,
    (ARRAY['老旧市场消防通道排查', '西路排水井盖修复', '独居老人走访', '夜间餐饮摊点证照检查'])[1 + i % 4] || i,
    '按方案逐户排查并建立台账，月底前完成整改。', NULL, NULL, pg_temp.organization(((a - 1) * :O + lead) % (:A * :O)::bigint + 1),
    pg_temp.region(a + 10), month, due_on, due_on, state, state NOT IN ('completed', 'cancelled'),
    CASE state WHEN 'completed' THEN 100 WHEN 'in_progress' THEN 50 ELSE 0 END, NULL, NULL, 0, month - interval '6 days',
    CASE WHEN state <> 'published' THEN month - interval '5 days' END,
    CASE WHEN state IN ('submitted', 'completed') THEN due_on - interval '2 days' END,
    CASE WHEN state = 'completed' THEN due_on - interval '1 day' END, pg_temp.account((a - 1) * 6 + 1),
    month - interval '9 days', 3
FROM drawn_task;

-- Problems of the last twelve months. Each eighth is assigned, by turns to the two organisations with staff: so M1 finds
-- its callers, and pgbench its problems by arithmetic. `steps` says how many events led to the state.
CREATE TEMP TABLE drawn_problem AS
SELECT d.*, extract(year FROM recorded_at)::int AS year,
    row_number() OVER (PARTITION BY a, extract(year FROM recorded_at) ORDER BY i) AS seq,
    state NOT IN ('struck_off', 'rejected', 'withdrawn', 'closed_at_source') AS is_open,
    CASE WHEN state IN ('registered', 'triaged', 'rejected', 'withdrawn') THEN NULL
        WHEN state = 'assigned' THEN i / 8 % 2 ELSE floor(:M * pg_temp.chance(n, 5))::bigint END AS lead,
    CASE state WHEN 'registered' THEN 1 WHEN 'triaged' THEN 2 WHEN 'assigned' THEN 3 WHEN 'accepted' THEN 4
        WHEN 'in_progress' THEN 5 WHEN 'submitted' THEN 7 WHEN 'verified' THEN 8 WHEN 'struck_off' THEN 9 ELSE 2 END AS steps,
    -- How long one step took, so that the last lies before now.
    (now() - recorded_at) / 12 * (0.2 + 0.8 * pg_temp.chance(n, 6)) AS pace
FROM (SELECT n, a, i,
        date_trunc('milliseconds', now() - interval '365 days' * ((:P + 1 - i)::float8 / (:P + 1))) AS recorded_at,
        CASE WHEN i % 8 = 5 THEN 'assigned' ELSE
            (ARRAY['registered', 'registered', 'triaged', 'triaged', 'accepted', 'in_progress', 'in_progress', 'submitted',
                'verified', 'struck_off', 'struck_off', 'struck_off', 'struck_off', 'struck_off', 'struck_off', 'struck_off',
                'rejected', 'withdrawn', 'closed_at_source', 'closed_at_source', 'closed_at_source', 'closed_at_source'
            ])[1 + floor(pg_temp.chance(n, 4) * 22)::int] END AS state
    FROM (SELECT (a - 1) * :P::bigint + i AS n, a, i FROM generate_series(1, :A) a, generate_series(1, :P) i) numbered) d;
INSERT INTO problem_sequence (alliance_id, year, last)
SELECT pg_temp.alliance(a), year, max(seq) FROM drawn_problem GROUP BY a, year;
INSERT INTO problem (id, alliance_id, year, seq, ordinal, number, title, description, category, place, region_id, channel,
    reporter_name, reporter_phone, severity, tier, is_complex, measures, criterion, state, is_open, round,
    lead_organization_id, handler_id, proposed_organization_id, due_on, rested_on, due_told_on, reason, declined_count, returned_count, assigned_at,
    accepted_at, submitted_at, submitted_by, verified_at, verifier_id, verifier_organization_id, verdict, struck_off_at,
    approver_id, external_source, external_key, occurred_at, recorded_at, recorded_by, closed_at, version)
SELECT pg_temp.problem(n), pg_temp.alliance(a), year, seq, year * 10000000000 + seq,
    '第' || a || '号销〔' || year || '〕' || lpad(seq::text, 4, '0') || '号',
    (ARRAY['路灯不亮', '楼道堆放杂物', '夜间施工噪声', '消防通道被占'])[1 + i % 4] || i, '居民反映，网格员现场核实属实。',
    (ARRAY['市政设施', '环境卫生', '噪声扰民', '公共安全'])[1 + i % 4], NULL, pg_temp.region(a + 10),
    (ARRAY['grid_officer', 'patrol', 'resident', 'hotline'])[1 + i % 4], NULL, NULL,
    (ARRAY['ordinary', 'ordinary', 'utilities', 'life_safety'])[1 + i % 4],
    CASE WHEN steps > 1 AND state NOT IN ('rejected', 'withdrawn') THEN 'small' END, false,
    CASE WHEN lead IS NOT NULL THEN '现场清理并定期巡查' END, CASE WHEN lead IS NOT NULL THEN '复查无反弹' END,
    state, is_open, 1, pg_temp.organization(((a - 1) * :O + lead) % (:A * :O)::bigint + 1),
    CASE WHEN steps > 3 THEN pg_temp.account((a - 1) * 6 + 3) END, NULL,
    CASE WHEN lead IS NOT NULL THEN (recorded_at + interval '30 days')::date END,
    CASE WHEN steps > 6 THEN (recorded_at + pace * 6)::date END,
    CASE WHEN lead IS NOT NULL THEN (recorded_at + interval '30 days')::date END,
    CASE WHEN state IN ('rejected', 'withdrawn') THEN '不属于受理范围' END, 0, 0,
    CASE WHEN steps > 2 THEN recorded_at + pace * 2 END, CASE WHEN steps > 3 THEN recorded_at + pace * 3 END,
    CASE WHEN steps > 6 THEN recorded_at + pace * 6 END, CASE WHEN steps > 6 THEN pg_temp.account((a - 1) * 6 + 3) END,
    CASE WHEN steps > 7 THEN recorded_at + pace * 7 END, CASE WHEN steps > 7 THEN pg_temp.account((a - 1) * 6 + 5) END,
    CASE WHEN steps > 7 THEN pg_temp.organization((a - 1) * :O + 3) END, CASE WHEN steps > 7 THEN '现场复查合格' END,
    CASE WHEN steps > 8 THEN recorded_at + pace * 8 END, CASE WHEN steps > 8 THEN pg_temp.account((a - 1) * 6 + 2) END,
    CASE WHEN state = 'closed_at_source' THEN 'hotline' END, CASE WHEN state = 'closed_at_source' THEN i::text END,
    recorded_at - interval '2 hours', recorded_at, pg_temp.account((a - 1) * 6 + 1),
    CASE WHEN NOT is_open THEN recorded_at + pace * (steps - 1) END, steps
FROM drawn_problem;
INSERT INTO problem_responsible (problem_id, organization_id, duty, assigned_at)
SELECT pg_temp.problem(n), pg_temp.organization(((a - 1) * :O + lead) % (:A * :O)::bigint + 1), 'lead', recorded_at + pace * 2
FROM drawn_problem WHERE lead IS NOT NULL
UNION ALL
SELECT pg_temp.problem(n), pg_temp.organization(((a - 1) * :O + (lead + 7) % :M) % (:A * :O)::bigint + 1), 'joint', recorded_at + pace * 2
FROM drawn_problem WHERE lead IS NOT NULL AND i % 4 = 0;
-- One picture an alliance serves all its closures.
INSERT INTO stored_file (id, sha256, size, media_type, name, captured_at, latitude, longitude, copy_sha256, uploaded_by,
    uploaded_at, expires_at)
SELECT pg_temp.bid(13, a), encode(sha256(convert_to(a::text, 'UTF8')), 'hex'), 81234, 'image/jpeg', '整改后.jpg', NULL, NULL, NULL,
    NULL, pg_temp.account((a - 1) * 6 + 3), now() - interval '1 year', NULL
FROM generate_series(1, :A) a;
INSERT INTO evidence (id, alliance_id, problem_id, task_id, file_id, stage, round, note, organization_id, added_by, added_at)
SELECT pg_temp.bid(12, n), pg_temp.alliance(a), pg_temp.problem(n), NULL, pg_temp.bid(13, a), 'closure', 1, NULL,
    pg_temp.organization(((a - 1) * :O + lead) % (:A * :O)::bigint + 1), pg_temp.account((a - 1) * 6 + 3), recorded_at + pace * 5
FROM drawn_problem WHERE steps > 6;

-- Events: those of the problems, then publications of tasks up to the number asked for.
CREATE TEMP TABLE drawn_event AS
SELECT row_number() OVER () AS position, drawn.* FROM (
    (SELECT a, 'problem' AS noun, pg_temp.problem(n) AS subject_id,
        CASE WHEN e = p.steps AND p.state IN ('rejected', 'withdrawn') THEN 'problem_' || p.state
            WHEN e = 2 AND p.state = 'closed_at_source' THEN 'problem_imported'
            ELSE (ARRAY['problem_registered', 'problem_triaged', 'problem_assigned', 'problem_accepted', 'problem_started',
                'evidence_added', 'problem_submitted', 'problem_verified', 'problem_struck_off'])[e] END AS kind,
        -- The committee, except where the lead's staff, the verifier or the approver acted.
        pg_temp.account((a - 1) * 6 + (ARRAY[1, 1, 1, 3, 3, 3, 3, 5, 2])[e]) AS actor,
        CASE WHEN lead IS NULL THEN '[]'
            ELSE '["' || pg_temp.organization(((a - 1) * :O + lead) % (:A * :O)::bigint + 1) || '"]' END AS organization_ids,
        recorded_at + pace * (e - 1) AS occurred_at,
        '{"from":"' || (ARRAY['registered', 'registered', 'triaged', 'assigned', 'accepted', 'in_progress', 'in_progress',
            'submitted', 'verified'])[e] || '","to":"' || (ARRAY['registered', 'triaged', 'assigned', 'accepted', 'in_progress',
            'in_progress', 'submitted', 'verified', 'struck_off'])[e] || '"}' AS payload
    FROM drawn_problem p, generate_series(1, p.steps) e ORDER BY n, e)
    UNION ALL
    (SELECT a, 'priority_task', pg_temp.task(n), 'priority_task_published', pg_temp.account((a - 1) * 6 + 1),
        '["' || pg_temp.organization(((a - 1) * :O + lead) % (:A * :O)::bigint + 1) || '"]', month - interval '6 days', '{"to":"published"}'
    FROM drawn_task ORDER BY i, n)) drawn
LIMIT :A * :E::bigint;
INSERT INTO event (id, alliance_id, kind, actor_kind, actor_id, subject_kind, subject_id, organization_ids, occurred_at,
    digest, salt, payload)
SELECT pg_temp.bid(11, position), pg_temp.alliance(a), kind, 'account', actor, noun, subject_id, organization_ids, occurred_at,
    sha256(salt || convert_to(payload, 'UTF8')), salt, payload
FROM drawn_event, LATERAL (SELECT decode(md5(position::text), 'hex') AS salt) salted;
INSERT INTO event_seal (position, event_id, chain_id, chain_index, hash, sealed_at)
SELECT position, pg_temp.bid(11, position), pg_temp.alliance(a), row_number() OVER (PARTITION BY a ORDER BY position),
    sha256(int8send(position)), occurred_at
FROM drawn_event;
INSERT INTO event_organization (organization_id, position)
SELECT substr(organization_ids, 3, 36)::uuid, position FROM drawn_event WHERE organization_ids <> '[]';
INSERT INTO event_chain (chain_id, length, hash)
SELECT pg_temp.alliance(a), count(*), sha256(int8send(max(position))) FROM drawn_event GROUP BY a;
-- The hands stand at the end: nothing waits to be sealed, told or handed out.
INSERT INTO hand_cursor (name, position, updated_at)
SELECT name, (SELECT max(position) FROM drawn_event), now() FROM (VALUES ('sealer'), ('inbox')) hand (name);

COMMIT;
