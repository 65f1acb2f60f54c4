-- The outbox: facts on their way to the log. Loaded by name (piperoll.postgres.load_queries).

-- add_to_outbox: facts for the relay
INSERT INTO notifier.outbox (ce_id, job_id, owner, time, type, data)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::json[]);

-- lead_relay: whether this session relays the outbox; one at a time, so that a job's facts keep their order
SELECT pg_try_advisory_lock($1);

-- lose_relay_if_silent: the server ends a leader that is frozen or cut off; a living one reads the outbox every second
SET idle_session_timeout = '10s';

-- stay_if_silent: the session's former setting
RESET idle_session_timeout;

-- leave_relay: another session may relay
SELECT pg_advisory_unlock($1);

-- read_outbox: the oldest facts that the log has not acknowledged
SELECT id, ce_id, job_id, owner, time, type, data FROM notifier.outbox ORDER BY id LIMIT $1;

-- clear_outbox: deletes acknowledged facts
DELETE FROM notifier.outbox WHERE id = ANY($1::bigint[]);

-- outbox_size: the number of facts that the log has not acknowledged
SELECT count(*) FROM notifier.outbox;
