-- What a PostGraphile user adds to Concord's tables: relations that no foreign key tells of, the dashboard as a function,
-- and the transition as one that writes the same row and event in one call. No rights are checked: PostGraphile's way to
-- those is row-level security, which would only cost it more.
COMMENT ON TABLE event IS E'@foreignKey (subject_id) references problem (id)|@foreignFieldName events\n@foreignKey (actor_id) references account (id)|@fieldName actor';

DROP FUNCTION IF EXISTS dashboard(uuid);
DROP TYPE IF EXISTS town_dashboard;
CREATE TYPE town_dashboard AS (
    name text, published int, acknowledged int, working int, handed_in int, completed int, cancelled int, open int, overdue int,
    registered int, triaged int, assigned int, accepted int, in_progress int, submitted int, verified int, struck_off int,
    rejected int, withdrawn int, closed_at_source int, month_open int, month_closed int);
CREATE FUNCTION dashboard(alliance_id uuid) RETURNS town_dashboard LANGUAGE plpgsql STABLE AS $$
DECLARE
    result town_dashboard;
    today date := (now() AT TIME ZONE 'Asia/Shanghai')::date;
    month_begins timestamptz := date_trunc('month', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai';
    month_ends timestamptz := (date_trunc('month', now() AT TIME ZONE 'Asia/Shanghai') + interval '1 month') AT TIME ZONE 'Asia/Shanghai';
BEGIN
    SELECT a.name, t.*, p.* INTO result FROM alliance a,
        LATERAL (SELECT
            count(*) FILTER (WHERE state = 'published')::int, count(*) FILTER (WHERE state = 'acknowledged')::int,
            count(*) FILTER (WHERE state = 'in_progress')::int, count(*) FILTER (WHERE state = 'submitted')::int,
            count(*) FILTER (WHERE state = 'completed')::int, count(*) FILTER (WHERE state = 'cancelled')::int,
            count(*) FILTER (WHERE is_open)::int, count(*) FILTER (WHERE is_open AND due_on < today)::int
            FROM priority_task task WHERE task.alliance_id = a.id) t,
        LATERAL (SELECT
            count(*) FILTER (WHERE state = 'registered')::int, count(*) FILTER (WHERE state = 'triaged')::int,
            count(*) FILTER (WHERE state = 'assigned')::int, count(*) FILTER (WHERE state = 'accepted')::int,
            count(*) FILTER (WHERE state = 'in_progress')::int, count(*) FILTER (WHERE state = 'submitted')::int,
            count(*) FILTER (WHERE state = 'verified')::int, count(*) FILTER (WHERE state = 'struck_off')::int,
            count(*) FILTER (WHERE state = 'rejected')::int, count(*) FILTER (WHERE state = 'withdrawn')::int,
            count(*) FILTER (WHERE state = 'closed_at_source')::int,
            count(*) FILTER (WHERE recorded_at < month_ends AND (closed_at IS NULL OR closed_at >= month_begins)
                AND state NOT IN ('rejected', 'withdrawn'))::int,
            count(*) FILTER (WHERE closed_at >= month_begins AND closed_at < month_ends
                AND state NOT IN ('rejected', 'withdrawn'))::int
            FROM problem WHERE problem.alliance_id = a.id) p
        WHERE a.id = $1;
    RETURN result;
END $$;

DROP FUNCTION IF EXISTS accept_problem(uuid, uuid);
CREATE FUNCTION accept_problem(problem_id uuid, account_id uuid) RETURNS problem LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    changed problem;
    salt bytea := decode(replace(gen_random_uuid()::text, '-', ''), 'hex');
    details text;
BEGIN
    UPDATE problem SET state = 'accepted', handler_id = $2, accepted_at = now(), version = version + 1
        WHERE id = $1 AND state = 'assigned' RETURNING * INTO changed;
    IF NOT FOUND THEN RAISE EXCEPTION 'the problem is not assigned'; END IF;
    details := json_build_object('from', 'assigned', 'to', 'accepted', 'title', changed.title, 'handlerId', $2)::text;
    INSERT INTO event (id, alliance_id, kind, actor_kind, actor_id, subject_kind, subject_id, organization_ids, occurred_at,
        digest, salt, payload)
    VALUES (gen_random_uuid(), changed.alliance_id, 'problem_accepted', 'account', $2, 'problem', $1,
        '["' || changed.lead_organization_id || '"]', now(), sha256(salt || convert_to(details, 'UTF8')), salt, details);
    RETURN changed;
END $$;
