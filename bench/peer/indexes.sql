-- Indexes that a PostGraphile user adds where Concord's own do not serve: the dashboard's from the index alone, and members in
-- the order of Q3. They stand only while PostGraphile runs, for they would cost Concord's writes.
CREATE INDEX IF NOT EXISTS peer_task_dashboard ON priority_task (alliance_id, state) INCLUDE (is_open, due_on);
CREATE INDEX IF NOT EXISTS peer_problem_dashboard ON problem (alliance_id, state) INCLUDE (recorded_at, closed_at);
CREATE INDEX IF NOT EXISTS peer_membership ON membership (alliance_id, created_at, id);
