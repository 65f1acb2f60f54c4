-- Statements about registered endpoints and their notices. Loaded by name (piperoll.postgres.load_queries).

-- endpoints_of: the endpoints that receive the changes of these owners' jobs
SELECT endpoint_id, owner, origin, url, token, secret, statuses, since FROM notifier.endpoints
WHERE owner = ANY($1::text[]) AND state = 'on';

-- load_followed: the folds of these jobs
SELECT job_id, job FROM notifier.followed WHERE job_id = ANY($1::text[]);

-- save_followed: the folds of these jobs; one that has advanced meanwhile is unchanged
INSERT INTO notifier.followed AS f (job_id, owner, sequence, job)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::json[])
ON CONFLICT (job_id) DO UPDATE SET sequence = excluded.sequence, job = excluded.job
WHERE f.sequence < excluded.sequence;

-- add_notices: changes to send, after those that already wait; changes stored before are dropped
INSERT INTO notifier.notices AS n (job_id, endpoint_id, owner, origin, changes, taken, next_attempt_at)
SELECT job_id, endpoint_id, owner, origin, changes, taken, now()
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::int[])
    AS given(job_id, endpoint_id, owner, origin, changes, taken)
ON CONFLICT (job_id, endpoint_id) DO UPDATE SET
    origin = excluded.origin,
    changes = n.changes || jsonb_path_query_array(
        excluded.changes, '$[*] ? (@.number > $taken)', jsonb_build_object('taken', n.taken)),
    taken = excluded.taken,
    next_attempt_at = coalesce(n.next_attempt_at, now())
WHERE n.taken < excluded.taken;

-- settle_notices_from_log: changes that are delivered or given up in the deliveries topic
INSERT INTO notifier.notices AS n (job_id, endpoint_id, owner, taken)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[])
ON CONFLICT (job_id, endpoint_id) DO UPDATE SET
    taken = greatest(n.taken, excluded.taken),
    attempts = 0,
    changes = jsonb_path_query_array(
        n.changes, '$[*] ? (@.number > $taken)', jsonb_build_object('taken', excluded.taken)),
    next_attempt_at = CASE
        WHEN jsonb_path_exists(
            n.changes, '$[*] ? (@.number > $taken)', jsonb_build_object('taken', excluded.taken)) THEN now() END
WHERE n.taken < excluded.taken OR (n.changes -> 0 ->> 'number')::int <= excluded.taken;

-- claim: leases at most so many due rows per receiver; reads one index range per receiver
WITH due AS (
    SELECT picked.job_id, picked.endpoint_id
    FROM unnest($1::text[], $2::text[], $3::int[]) AS wanted(owner, origin, room)
    CROSS JOIN LATERAL (
        SELECT job_id, endpoint_id FROM notifier.notices
        WHERE owner = wanted.owner AND origin = wanted.origin AND next_attempt_at <= now() AND leased_until < now()
        ORDER BY next_attempt_at LIMIT wanted.room
        FOR UPDATE SKIP LOCKED) AS picked
)
UPDATE notifier.notices n SET leased_until = now() + make_interval(secs => $4), leased_by = $5
FROM due JOIN notifier.endpoints e USING (endpoint_id)
WHERE n.job_id = due.job_id AND n.endpoint_id = due.endpoint_id AND n.job_id = ANY(ARRAY(SELECT job_id FROM due))
RETURNING n.job_id, n.endpoint_id, n.owner, n.origin, n.changes -> 0 AS change, n.attempts, n.leased_until,
    CASE WHEN e.state = 'on' THEN e.url END AS url, e.token, e.secret;

-- settle: writes the outcomes of claimed rows with a valid lease; returns these rows and their next due times
WITH outcome AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::int[], $5::int[], $6::float8[])
        AS given(job_id, endpoint_id, lease, number, attempts, delay_s)
), held AS (
    SELECT job_id, endpoint_id FROM notifier.notices WHERE job_id = ANY($1::text[])
    ORDER BY job_id, endpoint_id FOR UPDATE
)
UPDATE notifier.notices n SET
    leased_until = '-infinity',
    attempts = CASE WHEN outcome.delay_s IS NULL THEN 0 ELSE outcome.attempts END,
    changes = CASE WHEN outcome.delay_s IS NULL THEN n.changes - 0 ELSE n.changes END,
    next_attempt_at = CASE
        WHEN outcome.delay_s IS NOT NULL THEN now() + make_interval(secs => outcome.delay_s)
        WHEN jsonb_array_length(n.changes) > 1 THEN now() END
FROM outcome JOIN held USING (job_id, endpoint_id)
WHERE n.job_id = outcome.job_id AND n.endpoint_id = outcome.endpoint_id AND n.job_id = ANY($1::text[])
    AND n.leased_until = outcome.lease AND (n.changes -> 0 ->> 'number')::int = outcome.number
RETURNING n.job_id, n.endpoint_id, n.owner, n.origin, extract(epoch FROM n.next_attempt_at - now())::float8 AS in_s;

-- add_endpoint: an endpoint receives changes from now on; a repeat changes nothing
INSERT INTO notifier.endpoints (endpoint_id, owner, state, origin, url, token, secret, statuses, since)
VALUES ($1, $2, 'on', $3, $4, $5, $6, $7, $8)
ON CONFLICT (endpoint_id) DO NOTHING;

-- end_endpoint: an endpoint receives nothing more; a removed one stays removed
UPDATE notifier.endpoints SET state = $2,
    url = CASE WHEN $2 = 'removed' THEN NULL ELSE url END,
    token = CASE WHEN $2 = 'removed' THEN NULL ELSE token END,
    secret = CASE WHEN $2 = 'removed' THEN NULL ELSE secret END
WHERE endpoint_id = $1 AND state <> 'removed';

-- add_trial: one notice without a job to an active endpoint; returns its receiver
INSERT INTO notifier.notices (job_id, endpoint_id, owner, origin, changes, taken, next_attempt_at)
SELECT $2, endpoint_id, owner, origin, jsonb_build_array($3::jsonb), 1, now()
FROM notifier.endpoints WHERE endpoint_id = $1 AND state = 'on'
ON CONFLICT DO NOTHING
RETURNING owner, origin;

-- unfollowed: an owner with folds and without endpoints; by one index probe per owner with folds
WITH RECURSIVE followed AS (
    (SELECT owner FROM notifier.followed ORDER BY owner LIMIT 1)
    UNION ALL
    SELECT following.owner FROM followed CROSS JOIN LATERAL (
        SELECT f.owner FROM notifier.followed f WHERE f.owner > followed.owner ORDER BY f.owner LIMIT 1) AS following
)
SELECT owner FROM followed
WHERE NOT EXISTS (SELECT FROM notifier.endpoints e WHERE e.owner = followed.owner AND e.state = 'on') LIMIT 1;

-- forget_followed: deletes at most $2 folds of an owner without endpoints
DELETE FROM notifier.followed WHERE job_id = ANY(ARRAY(
    SELECT job_id FROM notifier.followed WHERE owner = $1
        AND NOT EXISTS (SELECT FROM notifier.endpoints e WHERE e.owner = $1 AND e.state = 'on')
    ORDER BY job_id LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING job_id;

-- ended_endpoint: an endpoint that has ended and has open changes; by one index probe per endpoint with open changes
WITH RECURSIVE receiver AS (
    (SELECT endpoint_id FROM notifier.notices WHERE next_attempt_at IS NOT NULL ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT following.endpoint_id FROM receiver CROSS JOIN LATERAL (
        SELECT n.endpoint_id FROM notifier.notices n
        WHERE n.next_attempt_at IS NOT NULL AND n.endpoint_id > receiver.endpoint_id
        ORDER BY n.endpoint_id LIMIT 1) AS following
)
SELECT endpoint_id, state FROM receiver JOIN notifier.endpoints e USING (endpoint_id) WHERE e.state <> 'on' LIMIT 1;

-- withdraw: removes and returns at most $2 open changes of an endpoint; rows that another transaction holds are left
WITH open AS (
    SELECT job_id, endpoint_id, owner, attempts, changes FROM notifier.notices
    WHERE endpoint_id = $1 AND next_attempt_at IS NOT NULL ORDER BY job_id LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE notifier.notices n SET changes = '[]', attempts = 0, next_attempt_at = NULL
FROM open WHERE n.job_id = open.job_id AND n.endpoint_id = open.endpoint_id
    AND n.job_id = ANY(ARRAY(SELECT job_id FROM open))
RETURNING open.job_id, open.endpoint_id, open.owner, open.attempts, open.changes;

-- give_up: the next change of rows whose whole schedule has passed at $3, attempted or not
WITH passed AS (
    SELECT job_id, endpoint_id, owner, attempts, changes FROM notifier.notices
    WHERE next_attempt_at IS NOT NULL AND leased_until < now()
        AND (changes -> 0 ->> 'at')::timestamptz < $3::timestamptz - make_interval(secs => $2)
    ORDER BY job_id, endpoint_id LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE notifier.notices n SET changes = n.changes - 0, attempts = 0,
    next_attempt_at = CASE WHEN jsonb_array_length(n.changes) > 1 THEN now() END
FROM passed WHERE n.job_id = passed.job_id AND n.endpoint_id = passed.endpoint_id
    AND n.job_id = ANY(ARRAY(SELECT job_id FROM passed))
RETURNING passed.job_id, passed.endpoint_id, passed.owner, passed.attempts,
    jsonb_build_array(passed.changes -> 0) AS changes;

-- remove_old: deletes rows first seen so many seconds ago with nothing left to send
WITH old AS (
    SELECT job_id, endpoint_id FROM notifier.notices
    WHERE seen_at < now() - make_interval(secs => $2) AND next_attempt_at IS NULL
    LIMIT $1 FOR UPDATE SKIP LOCKED
)
DELETE FROM notifier.notices n USING old
WHERE n.job_id = old.job_id AND n.endpoint_id = old.endpoint_id AND n.job_id = ANY(ARRAY(SELECT job_id FROM old))
RETURNING n.job_id;

-- remove_old_followed: deletes folds of jobs first seen so many seconds ago
DELETE FROM notifier.followed WHERE job_id = ANY(ARRAY(
    SELECT job_id FROM notifier.followed
    WHERE seen_at < now() - make_interval(secs => $2) LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING job_id;
