-- The read model, version 1. Its shape never changes: another shape is another version, built beside this one.
-- A row's `state` is the fold's own JSON (piperoll.domain.job.CODEC); the columns beside it are for finding rows.
CREATE SCHEMA IF NOT EXISTS read_v1;

-- Which jobs there are, and how each stands. `sequence` 0 is a batch member announced by its BatchCreated.
CREATE TABLE IF NOT EXISTS read_v1.jobs (
    job_id      text PRIMARY KEY,
    partition   int NOT NULL,
    owner       text NOT NULL,
    user_id     text,
    job_type    text NOT NULL,
    target_id   text,
    batch_id    text,
    batch_index int,
    status      text NOT NULL,
    sequence    int NOT NULL,
    created     boolean NOT NULL,
    erased      boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    state       json
) WITH (fillfactor = 85);
-- The lists show what is not erased, newest first. The status stands in two indexes, so that a list of failed jobs
-- and the counts of a batch never read the rows; a change of status pays for it, progress does not.
CREATE INDEX IF NOT EXISTS jobs_by_batch
    ON read_v1.jobs (batch_id, batch_index) INCLUDE (status) WHERE batch_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_by_owner
    ON read_v1.jobs (owner, created_at DESC, job_id DESC) WHERE NOT erased;
CREATE INDEX IF NOT EXISTS jobs_by_status
    ON read_v1.jobs (owner, status, created_at DESC, job_id DESC) WHERE NOT erased;
CREATE INDEX IF NOT EXISTS jobs_by_target
    ON read_v1.jobs (owner, target_id, created_at DESC, job_id DESC) WHERE target_id IS NOT NULL AND NOT erased;
CREATE INDEX IF NOT EXISTS jobs_by_user
    ON read_v1.jobs (owner, user_id, created_at DESC, job_id DESC) WHERE user_id IS NOT NULL AND NOT erased;

-- Which facts each job is made of: the accepted ones, numbered by the fold.
CREATE TABLE IF NOT EXISTS read_v1.events (
    job_id    text NOT NULL,
    sequence  int NOT NULL,
    log_offset bigint NOT NULL,
    type      text NOT NULL,
    time      timestamptz NOT NULL,
    data      json NOT NULL,
    PRIMARY KEY (job_id, sequence)
);

-- Which batches there are. Their counts are computed from their members.
CREATE TABLE IF NOT EXISTS read_v1.batches (
    batch_id   text PRIMARY KEY,
    partition  int NOT NULL,
    owner      text NOT NULL,
    user_id    text,
    created_at timestamptz NOT NULL,
    count      int NOT NULL,
    state      json NOT NULL
);
CREATE INDEX IF NOT EXISTS batches_by_owner ON read_v1.batches (owner, created_at DESC, batch_id DESC);

-- What became of each webhook attempt, from the deliveries topic.
CREATE TABLE IF NOT EXISTS read_v1.deliveries (
    job_id      text NOT NULL,
    partition   int NOT NULL,
    log_offset  bigint NOT NULL,
    type        text NOT NULL,
    time        timestamptz NOT NULL,
    data        json NOT NULL,
    PRIMARY KEY (partition, log_offset)
);
CREATE INDEX IF NOT EXISTS deliveries_by_job ON read_v1.deliveries (job_id, log_offset);

-- How far each partition was projected: the checkpoint, written in the transaction of the rows.
CREATE TABLE IF NOT EXISTS read_v1.checkpoints (
    topic       text NOT NULL,
    partition   int NOT NULL,
    next_offset bigint NOT NULL,
    cluster_id  text NOT NULL,
    last_ce_id  text,
    PRIMARY KEY (topic, partition)
);

-- Jobs with an undecodable record: what follows it is parked in the dead letters too.
CREATE TABLE IF NOT EXISTS read_v1.parked (
    job_id    text PRIMARY KEY,
    partition int NOT NULL,
    since_offset bigint NOT NULL
);
