-- The delivery queue: who is to be told what. Owned by the notifier alone; nobody else reads or writes here.
-- Run at every start; every statement can be repeated.
CREATE SCHEMA IF NOT EXISTS notifier;

-- One row a job that has a webhook. It is claimed as a whole, so one POST a job is in flight and its hooks keep
-- their order. The intake writes what the log says (down to `erased`), the dispatcher what became of it.
--   state: open      something may still have to be sent
--          late      the final hook was first seen too long after its event; the sweep holds it
--          held      not sent, and said so (WebhookAbandoned TOO_OLD)
--          delivered, abandoned   the final hook is settled
-- A row without url is a stub: a job that ended before its creation was read, or known by its deliveries alone.
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

-- What is due, by receiver: 100,000 due rows of a dead origin are never read to find the one row of another.
CREATE INDEX IF NOT EXISTS queue_due ON notifier.queue (origin, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS queue_late ON notifier.queue (job_id) WHERE state = 'late';
CREATE INDEX IF NOT EXISTS queue_seen ON notifier.queue USING brin (seen_at);

-- How far each partition was read: the checkpoint, written in the transaction of the rows.
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

-- Jobs with an undecodable record: what follows it goes to the dead letters too, until it is redriven.
CREATE TABLE IF NOT EXISTS notifier.parked (
    job_id       text PRIMARY KEY,
    partition    int NOT NULL,
    since_offset bigint NOT NULL
);
