-- The delivery queue. Owned by the notifier alone; no other service reads or writes here, but the API reads the view
-- `failing_receivers` at the end, whose columns stay.
-- Run at every start; every statement can be repeated.
CREATE SCHEMA IF NOT EXISTS notifier;

-- One row per job with a webhook. It is claimed as a whole, so one POST per job is in flight and its hooks keep
-- their order. The job reader writes the columns down to `erased`, the dispatcher the outcomes.
--   state: open      something may still have to be sent
--          late      the final hook was first seen too long after its event; the sweep holds it
--          held      not sent, recorded as WebhookAbandoned TOO_OLD
--          delivered, abandoned   the final hook is settled
-- A request for redelivery opens a settled row again (`request` and its columns): then only the final hook is
-- sent, `attempts` continue, and the schedule starts again after `attempts_before`.
-- A row without url is a stub: a job that ended before its creation was read, or known by its deliveries only.
CREATE TABLE IF NOT EXISTS notifier.queue (
    job_id             text PRIMARY KEY,
    partition          int NOT NULL,
    owner              text NOT NULL,
    origin             text,
    url                text,
    token              text,
    client_id          text,
    job                json,
    progress           json,
    progress_number    int,
    final_phase        text,
    final_at           timestamptz,
    erased             boolean NOT NULL DEFAULT false,
    state              text NOT NULL DEFAULT 'open',
    progress_attempted boolean NOT NULL DEFAULT false,
    progress_muted     boolean NOT NULL DEFAULT false,
    attempts           int NOT NULL DEFAULT 0,
    next_attempt_at    timestamptz,
    leased_until       timestamptz NOT NULL DEFAULT '-infinity',
    leased_by          text,
    seen_at            timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Due rows by owner and receiver: 100,000 due rows of a dead origin are not read to find one row of another.
CREATE INDEX IF NOT EXISTS queue_due_by_owner
    ON notifier.queue (owner, origin, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
DROP INDEX IF EXISTS notifier.queue_due; -- of earlier releases, by receiver alone
-- Added later. Checked first: the statement itself would lock out every other notifier at each start.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM information_schema.columns
                   WHERE table_schema = 'notifier' AND table_name = 'queue' AND column_name = 'request') THEN
        ALTER TABLE notifier.queue
            ADD COLUMN request text,
            ADD COLUMN request_phase text,
            ADD COLUMN attempts_before int NOT NULL DEFAULT 0,
            ADD COLUMN reopened_at timestamptz;
    END IF;
END $$;
-- Always empty: final hooks that are neither settled nor will ever be due. It makes their count cheap.
CREATE INDEX IF NOT EXISTS queue_unaccounted ON notifier.queue (job_id)
    WHERE state = 'open' AND final_phase IS NOT NULL AND url IS NOT NULL AND next_attempt_at IS NULL;
DROP INDEX IF EXISTS notifier.queue_homeless; -- of earlier releases, for redeliveries alone
CREATE INDEX IF NOT EXISTS queue_unroutable ON notifier.queue (job_id)
    WHERE state = 'open' AND url IS NULL AND (request IS NOT NULL OR (final_phase IS NOT NULL AND NOT erased));
CREATE INDEX IF NOT EXISTS queue_late ON notifier.queue (job_id) WHERE state = 'late';
CREATE INDEX IF NOT EXISTS queue_seen ON notifier.queue USING brin (seen_at);

-- The checkpoint of each partition, written in the transaction of the rows.
CREATE TABLE IF NOT EXISTS notifier.checkpoints (
    topic       text NOT NULL,
    partition   int NOT NULL,
    next_offset bigint NOT NULL,
    cluster_id  text NOT NULL,
    last_ce_id  text,
    PRIMARY KEY (topic, partition)
);

-- Facts about deliveries on their way to the log, written in the transaction of the row they are about.
CREATE TABLE IF NOT EXISTS notifier.outbox (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ce_id  text NOT NULL,
    job_id text NOT NULL,
    owner  text NOT NULL,
    time   timestamptz NOT NULL,
    type   text NOT NULL,
    data   json NOT NULL
);

-- Keys with an undecodable record: later records go to the dead letters too, until it is redriven. The keys of
-- other topics than the job events are prefixed with the topic and a slash.
CREATE TABLE IF NOT EXISTS notifier.parked (
    job_id       text PRIMARY KEY,
    partition    int NOT NULL,
    since_offset bigint NOT NULL
);

-- The endpoints registered for changes of status, from the endpoint events. Token and secret are sealed.
--   state: on        receives changes
--          gone      answered 410: receives nothing more; recorded in the log as an outcome
--          removed   by its owner
CREATE TABLE IF NOT EXISTS notifier.endpoints (
    endpoint_id text PRIMARY KEY,
    owner       text NOT NULL,
    state       text NOT NULL,
    origin      text,
    url         text,
    token       text,
    secret      text,
    statuses    text[] NOT NULL,
    since       timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS endpoints_on ON notifier.endpoints (owner) WHERE state = 'on';

-- The folds of the jobs of owners with endpoints.
CREATE TABLE IF NOT EXISTS notifier.followed (
    job_id   text PRIMARY KEY,
    owner    text NOT NULL,
    sequence int NOT NULL,
    job      json NOT NULL,
    seen_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 85);
-- The folds of an owner without endpoints are forgotten in pieces, in this order.
CREATE INDEX IF NOT EXISTS followed_of_owner ON notifier.followed (owner, job_id);
DROP INDEX IF EXISTS notifier.followed_by_owner; -- of earlier releases, without the order
CREATE INDEX IF NOT EXISTS followed_seen ON notifier.followed USING brin (seen_at);

-- One row per job and endpoint, claimed as a whole, so that its changes are sent one after the other. `changes` are
-- those not sent yet, in order; `taken` is the number of the last one that was stored here, or is settled in the log.
CREATE TABLE IF NOT EXISTS notifier.notices (
    job_id          text NOT NULL,
    endpoint_id     text NOT NULL,
    owner           text NOT NULL,
    origin          text,
    changes         jsonb NOT NULL DEFAULT '[]',
    taken           int NOT NULL DEFAULT 0,
    attempts        int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    leased_until    timestamptz NOT NULL DEFAULT '-infinity',
    leased_by       text,
    seen_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, endpoint_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX IF NOT EXISTS notices_due_by_owner
    ON notifier.notices (owner, origin, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
DROP INDEX IF EXISTS notifier.notices_due; -- of earlier releases, by receiver alone
-- The open changes of an ended endpoint are withdrawn in pieces, in this order.
CREATE INDEX IF NOT EXISTS notices_open_of_endpoint
    ON notifier.notices (endpoint_id, job_id) WHERE next_attempt_at IS NOT NULL;
DROP INDEX IF EXISTS notifier.notices_open; -- of earlier releases, without the order
CREATE INDEX IF NOT EXISTS notices_seen ON notifier.notices USING brin (seen_at);

-- Open webhooks and notices that failed at least once since they became due, of which there are few.
CREATE INDEX IF NOT EXISTS queue_failing
    ON notifier.queue (owner, origin) WHERE next_attempt_at IS NOT NULL AND attempts > attempts_before;
CREATE INDEX IF NOT EXISTS notices_failing
    ON notifier.notices (owner, origin) WHERE next_attempt_at IS NOT NULL AND attempts > 0;

-- The receivers at which they wait: a row for each owner, receiver and kind, with one of the jobs.
CREATE OR REPLACE VIEW notifier.failing_receivers AS
SELECT owner, origin, 'webhook' AS kind, count(*) AS waiting, max(attempts - attempts_before) AS attempts,
       min(next_attempt_at) AS next_attempt_at, min(job_id) AS job_id
FROM notifier.queue
WHERE next_attempt_at IS NOT NULL AND attempts > attempts_before
GROUP BY owner, origin
UNION ALL
SELECT owner, origin, 'endpoint', count(*), max(attempts), min(next_attempt_at), min(job_id)
FROM notifier.notices
WHERE next_attempt_at IS NOT NULL AND attempts > 0
GROUP BY owner, origin;
