-- The notifier's statements about the webhooks of jobs. Loaded by name (piperoll.postgres.load_queries).

-- load_jobs: the rows of a poll's jobs, locked in one order to avoid deadlocks
SELECT job_id, origin, url, token, client_id, job, progress, final_phase, final_at, state
FROM notifier.queue WHERE job_id = ANY($1::text[]) ORDER BY job_id FOR UPDATE;

-- save_jobs: the state of each job in the log; the dispatcher's columns are unchanged
-- The hook of a requested redelivery is never late, and due as soon as it is known.
INSERT INTO notifier.queue AS q (job_id, partition, owner, origin, url, token, client_id, job, progress,
    progress_number, final_phase, final_at, erased, state, next_attempt_at)
SELECT job_id, $1, owner, origin, url, token, client_id, job, progress, progress_number, final_phase, final_at,
    erased, state, CASE WHEN due THEN now() END
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::json[], $9::json[],
    $10::int[], $11::text[], $12::timestamptz[], $13::boolean[], $14::text[], $15::boolean[])
    AS given(job_id, owner, origin, url, token, client_id, job, progress, progress_number, final_phase, final_at,
        erased, state, due)
ON CONFLICT (job_id) DO UPDATE SET
    owner = excluded.owner, origin = excluded.origin, url = excluded.url, token = excluded.token,
    client_id = excluded.client_id, job = excluded.job, final_phase = excluded.final_phase,
    final_at = excluded.final_at, erased = excluded.erased,
    progress = CASE WHEN excluded.next_attempt_at IS NULL THEN q.progress ELSE excluded.progress END,
    progress_number =
        CASE WHEN excluded.next_attempt_at IS NULL THEN q.progress_number ELSE excluded.progress_number END,
    state = CASE WHEN q.state = 'open' AND q.request IS NULL THEN excluded.state ELSE q.state END,
    next_attempt_at = CASE
        WHEN q.state <> 'open' THEN NULL
        WHEN q.request IS NOT NULL THEN
            CASE WHEN excluded.final_phase IS NOT NULL AND excluded.url IS NOT NULL
                THEN coalesce(q.next_attempt_at, now()) END
        WHEN excluded.state <> 'open' THEN NULL
        WHEN q.progress_muted AND excluded.final_phase IS NULL THEN NULL
        ELSE coalesce(excluded.next_attempt_at, q.next_attempt_at) END;

-- standings: the states of some jobs' final hooks
SELECT job_id, state, request FROM notifier.queue WHERE job_id = ANY($1::text[]);

-- lock_standings: the same, locked until the transaction ends
SELECT job_id, state, request FROM notifier.queue WHERE job_id = ANY($1::text[]) ORDER BY job_id FOR UPDATE;

-- settle_from_log: final hooks that are settled in the deliveries topic; an unknown job becomes a stub
INSERT INTO notifier.queue AS q (job_id, partition, owner, state, request)
SELECT given.job_id, $1, given.owner, given.state, given.request
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS given(job_id, owner, state, request)
ORDER BY given.job_id
ON CONFLICT (job_id) DO UPDATE SET state = excluded.state, request = excluded.request, next_attempt_at = NULL,
    progress = NULL, url = CASE WHEN q.erased THEN NULL ELSE q.url END,
    token = CASE WHEN q.erased THEN NULL ELSE q.token END;

-- attempts_of: the attempts at some jobs' final hooks
SELECT job_id, attempts FROM notifier.queue WHERE job_id = ANY($1::text[]);

-- note_attempts: failed attempts at final hooks that only the log knows; no progress follows them. An unknown job
-- becomes a stub
INSERT INTO notifier.queue AS q (job_id, partition, owner, attempts, progress_muted)
SELECT given.job_id, $1, given.owner, given.attempts, true
FROM unnest($2::text[], $3::text[], $4::int[]) AS given(job_id, owner, attempts)
ORDER BY given.job_id
ON CONFLICT (job_id) DO UPDATE SET attempts = excluded.attempts, progress_muted = true, progress = NULL
WHERE q.state = 'open' AND q.request IS NULL AND q.attempts < excluded.attempts;

-- reopen: final hooks to send again, with their receivers; an unknown job becomes a stub
INSERT INTO notifier.queue AS q (job_id, partition, owner, request, request_phase, reopened_at)
SELECT given.job_id, $1, given.owner, given.request, given.phase, now()
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS given(job_id, owner, request, phase)
ORDER BY given.job_id
ON CONFLICT (job_id) DO UPDATE SET state = 'open', request = excluded.request, request_phase = excluded.request_phase,
    reopened_at = excluded.reopened_at, attempts_before = q.attempts, progress = NULL, progress_number = NULL,
    leased_until = '-infinity', leased_by = NULL,
    next_attempt_at = CASE WHEN q.url IS NOT NULL AND q.final_phase IS NOT NULL THEN now() END
RETURNING q.owner, q.origin;

-- unroutable: ends and requested redeliveries whose receiver is unknown
SELECT job_id, partition FROM notifier.queue
WHERE state = 'open' AND url IS NULL AND (request IS NOT NULL OR (final_phase IS NOT NULL AND NOT erased))
ORDER BY job_id LIMIT $1;

-- abandon_unroutable: those whose receiver stays unknown; the caller adds the fact to the outbox
UPDATE notifier.queue q SET state = 'abandoned', next_attempt_at = NULL, progress = NULL
FROM (SELECT job_id FROM notifier.queue WHERE job_id = ANY($1::text[]) ORDER BY job_id FOR UPDATE) AS chosen
WHERE q.job_id = chosen.job_id AND q.state = 'open' AND q.url IS NULL
    AND (q.request IS NOT NULL OR (q.final_phase IS NOT NULL AND NOT q.erased))
RETURNING q.job_id, q.owner, q.origin, q.request, coalesce(q.final_phase, q.request_phase) AS final_phase, q.attempts,
    q.erased;

-- claim: leases at most so many due rows per receiver; reads one index range per receiver
WITH due AS (
    SELECT picked.job_id
    FROM unnest($1::text[], $2::text[], $3::int[]) AS wanted(owner, origin, room)
    CROSS JOIN LATERAL (
        SELECT job_id FROM notifier.queue
        WHERE owner = wanted.owner AND origin = wanted.origin AND next_attempt_at <= now() AND leased_until < now()
        ORDER BY next_attempt_at LIMIT wanted.room
        FOR UPDATE SKIP LOCKED) AS picked
)
UPDATE notifier.queue q SET leased_until = now() + make_interval(secs => $4), leased_by = $5
WHERE q.job_id = ANY(ARRAY(SELECT job_id FROM due))
RETURNING q.job_id, q.owner, q.origin, q.url, q.token, q.client_id, q.job, q.progress, q.progress_attempted,
    q.progress_muted, q.final_phase, q.final_at, q.attempts, q.attempts_before, q.request, q.leased_until;

-- settle: writes the outcomes of claimed rows with a valid lease; returns these rows and their next due times
WITH outcome AS (
    SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::int[], $5::int[], $6::boolean[], $7::float8[])
        AS given(job_id, lease, state, attempts, progress_number, mute, delay_s)
), held AS (
    SELECT job_id FROM notifier.queue WHERE job_id = ANY($1::text[]) ORDER BY job_id FOR UPDATE
)
UPDATE notifier.queue q SET
    leased_until = '-infinity',
    state = outcome.state,
    attempts = outcome.attempts,
    progress_attempted = q.progress_attempted OR outcome.progress_number IS NOT NULL,
    progress_muted = q.progress_muted OR outcome.mute,
    progress = CASE WHEN q.progress_number > coalesce(outcome.progress_number, 0) THEN q.progress END,
    url = CASE WHEN q.erased AND outcome.state <> 'open' THEN NULL ELSE q.url END,
    token = CASE WHEN q.erased AND outcome.state <> 'open' THEN NULL ELSE q.token END,
    next_attempt_at = CASE
        WHEN outcome.state <> 'open' THEN NULL
        WHEN outcome.delay_s IS NOT NULL THEN now() + make_interval(secs => outcome.delay_s)
        WHEN q.final_phase IS NOT NULL THEN now()
        WHEN q.progress_number > outcome.progress_number AND NOT (q.progress_muted OR outcome.mute) THEN now() END
FROM outcome JOIN held USING (job_id)
WHERE q.job_id = outcome.job_id AND q.job_id = ANY($1::text[]) AND q.leased_until = outcome.lease AND q.state = 'open'
RETURNING q.job_id, q.owner, q.origin, extract(epoch FROM q.next_attempt_at - now())::float8 AS in_s;

-- hold_late: final hooks seen too late are not sent; the caller adds the fact to the outbox
UPDATE notifier.queue SET state = 'held', next_attempt_at = NULL, progress = NULL,
    url = CASE WHEN erased THEN NULL ELSE url END, token = CASE WHEN erased THEN NULL ELSE token END
WHERE job_id = ANY(ARRAY(
    SELECT job_id FROM notifier.queue WHERE state = 'late' ORDER BY job_id LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING job_id, owner, origin, request, final_phase, attempts;

-- give_up: final hooks whose whole schedule has passed, attempted or not; since the job's end, or the request
-- The end is a time of the log and compared with its present time ($3); a request is stored with Postgres' time.
UPDATE notifier.queue SET state = 'abandoned', next_attempt_at = NULL, progress = NULL,
    url = CASE WHEN erased THEN NULL ELSE url END, token = CASE WHEN erased THEN NULL ELSE token END
WHERE job_id = ANY(ARRAY(
    SELECT job_id FROM notifier.queue
    WHERE next_attempt_at IS NOT NULL AND leased_until < now() AND CASE WHEN reopened_at IS NOT NULL
        THEN reopened_at < now() - make_interval(secs => $2)
        ELSE final_at < $3::timestamptz - make_interval(secs => $2) END
    ORDER BY job_id LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING job_id, owner, origin, request, final_phase, attempts;

-- unaccounted: final hooks that are neither settled nor will ever be due: none, unless Piperoll has a fault
SELECT job_id FROM notifier.queue
WHERE state = 'open' AND final_phase IS NOT NULL AND url IS NOT NULL AND next_attempt_at IS NULL
ORDER BY job_id;

-- remove_old: deletes rows of ended jobs, settled or without a hook, first seen so many seconds ago
DELETE FROM notifier.queue WHERE job_id = ANY(ARRAY(
    SELECT job_id FROM notifier.queue
    WHERE seen_at < now() - make_interval(secs => $2)
        AND (state IN ('held', 'delivered', 'abandoned') OR (url IS NULL AND request IS NULL))
    LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING job_id;
