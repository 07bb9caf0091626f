-- Undoes what M1 did, so that each round begins alike: accepted problems of the pool are assigned again, and events that
-- nobody sealed (those of the peers, and of pgbench) go. What Concord recorded stays; its chain is only appended to.
UPDATE problem SET state = 'assigned', handler_id = NULL, accepted_at = NULL, version = 3
WHERE state = 'accepted' AND version > 3 AND accepted_at > (SELECT max(created_at) FROM session);
