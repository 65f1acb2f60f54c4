CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA IF NOT EXISTS read_v1;
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
CREATE INDEX IF NOT EXISTS jobs_by_batch
    ON read_v1.jobs (batch_id, batch_index) INCLUDE (status) WHERE batch_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_by_owner
    ON read_v1.jobs (owner, created_at DESC, job_id DESC) WHERE NOT erased;
CREATE INDEX IF NOT EXISTS jobs_by_type
    ON read_v1.jobs (owner, job_type, status, created_at DESC, job_id DESC) WHERE NOT erased;
CREATE INDEX IF NOT EXISTS jobs_by_target
    ON read_v1.jobs (owner, target_id, job_type, status, created_at DESC, job_id DESC)
    WHERE target_id IS NOT NULL AND NOT erased;
CREATE INDEX IF NOT EXISTS jobs_by_batch_as_target
    ON read_v1.jobs (owner, batch_id, job_type, status, created_at DESC, job_id DESC)
    WHERE batch_id IS NOT NULL AND target_id IS NULL AND NOT erased;
CREATE INDEX IF NOT EXISTS jobs_by_user
    ON read_v1.jobs (owner, user_id, created_at DESC, job_id DESC) WHERE user_id IS NOT NULL AND NOT erased;
CREATE TABLE IF NOT EXISTS read_v1.events (
    job_id     text NOT NULL,
    sequence   int NOT NULL,
    owner      text NOT NULL,
    partition  int NOT NULL,
    log_offset bigint NOT NULL,
    type       text NOT NULL,
    time       timestamptz NOT NULL,
    data       json NOT NULL,
    PRIMARY KEY (job_id, sequence)
);
CREATE INDEX IF NOT EXISTS events_by_place ON read_v1.events (owner, partition, log_offset);
CREATE TABLE IF NOT EXISTS read_v1.batches (
    batch_id   text PRIMARY KEY,
    partition  int NOT NULL,
    owner      text NOT NULL,
    user_id    text,
    created_at timestamptz NOT NULL,
    count      int NOT NULL,
    log_offset bigint NOT NULL,
    state      json NOT NULL
);
CREATE INDEX IF NOT EXISTS batches_by_owner ON read_v1.batches (owner, created_at DESC, batch_id DESC);
CREATE INDEX IF NOT EXISTS batches_by_place ON read_v1.batches (owner, partition, log_offset);
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
CREATE INDEX IF NOT EXISTS deliveries_by_origin ON read_v1.deliveries ((data ->> 'origin_sha256'), time)
    WHERE type = 'piperoll.WebhookAbandoned.v1' AND data ->> 'origin_sha256' IS NOT NULL;
CREATE TABLE IF NOT EXISTS read_v1.checkpoints (
    topic       text NOT NULL,
    partition   int NOT NULL,
    next_offset bigint NOT NULL,
    cluster_id  text NOT NULL,
    last_ce_id  text,
    PRIMARY KEY (topic, partition)
);
CREATE TABLE IF NOT EXISTS read_v1.parked (
    job_id    text PRIMARY KEY,
    partition int NOT NULL,
    since_offset bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS read_v1.documents (
    document_id text PRIMARY KEY,
    partition   int NOT NULL,
    owner       text NOT NULL,
    user_id     text,
    name        text,
    source      text,
    media_type  text,
    size        bigint,
    revision    text,
    removed     boolean NOT NULL,
    job_id      text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    state       json NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_by_owner
    ON read_v1.documents (owner, created_at DESC, document_id DESC) WHERE NOT removed;
CREATE TABLE IF NOT EXISTS read_v1.folders (
    folder_id   text PRIMARY KEY,
    partition   int NOT NULL,
    owner       text NOT NULL,
    user_id     text,
    name        text,
    description text,
    chunk_size  int,
    removed     boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    state       json NOT NULL
);
CREATE INDEX IF NOT EXISTS folders_by_owner
    ON read_v1.folders (owner, created_at DESC, folder_id DESC) WHERE NOT removed;
CREATE TABLE IF NOT EXISTS read_v1.folder_members (
    folder_id   text NOT NULL,
    document_id text NOT NULL,
    added_at    timestamptz NOT NULL,
    PRIMARY KEY (folder_id, document_id)
);
CREATE INDEX IF NOT EXISTS folder_members_by_document ON read_v1.folder_members (document_id);
CREATE TABLE IF NOT EXISTS read_v1.index_jobs (
    job_id         text PRIMARY KEY,
    folder_id      text NOT NULL,
    job_created_at timestamptz NOT NULL,
    uri            text NOT NULL
);
CREATE INDEX IF NOT EXISTS index_jobs_by_folder ON read_v1.index_jobs (folder_id, job_created_at DESC, job_id DESC);
CREATE TABLE IF NOT EXISTS read_v1.folder_indexes (
    folder_id      text PRIMARY KEY,
    job_id         text NOT NULL,
    job_created_at timestamptz NOT NULL,
    model          text NOT NULL,
    dimensions     int NOT NULL,
    chunks         int NOT NULL
);
CREATE TABLE IF NOT EXISTS read_v1.chunks (
    job_id      text NOT NULL,
    position    int NOT NULL,
    folder_id   text NOT NULL,
    document_id text NOT NULL,
    number      int NOT NULL,
    text        text NOT NULL,
    embedding   vector NOT NULL,
    PRIMARY KEY (job_id, position)
);
CREATE INDEX IF NOT EXISTS chunks_by_folder ON read_v1.chunks (folder_id);
CREATE INDEX IF NOT EXISTS chunks_by_document ON read_v1.chunks (document_id);
CREATE TABLE IF NOT EXISTS read_v1.endpoints (
    endpoint_id text PRIMARY KEY,
    partition   int NOT NULL,
    owner       text NOT NULL,
    user_id     text,
    url         text,
    statuses    text[] NOT NULL,
    removed     boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    state       json NOT NULL
);
CREATE INDEX IF NOT EXISTS endpoints_by_owner
    ON read_v1.endpoints (owner, created_at DESC, endpoint_id DESC) WHERE NOT removed;
COMMENT ON SCHEMA read_v1 IS '0e6bbfc0dfcaff17e1f04d37165b0d60a0d0ae9204a2761eb9ece67a6e97c015';
CREATE SCHEMA IF NOT EXISTS notifier;
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
CREATE INDEX IF NOT EXISTS queue_due ON notifier.queue (origin, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
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
CREATE INDEX IF NOT EXISTS queue_homeless
    ON notifier.queue (job_id) WHERE state = 'open' AND request IS NOT NULL AND url IS NULL;
CREATE INDEX IF NOT EXISTS queue_late ON notifier.queue (job_id) WHERE state = 'late';
CREATE INDEX IF NOT EXISTS queue_seen ON notifier.queue USING brin (seen_at);
CREATE TABLE IF NOT EXISTS notifier.checkpoints (
    topic       text NOT NULL,
    partition   int NOT NULL,
    next_offset bigint NOT NULL,
    cluster_id  text NOT NULL,
    last_ce_id  text,
    PRIMARY KEY (topic, partition)
);
CREATE TABLE IF NOT EXISTS notifier.outbox (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ce_id  text NOT NULL,
    job_id text NOT NULL,
    owner  text NOT NULL,
    time   timestamptz NOT NULL,
    type   text NOT NULL,
    data   json NOT NULL
);
CREATE TABLE IF NOT EXISTS notifier.parked (
    job_id       text PRIMARY KEY,
    partition    int NOT NULL,
    since_offset bigint NOT NULL
);
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
CREATE TABLE IF NOT EXISTS notifier.followed (
    job_id   text PRIMARY KEY,
    owner    text NOT NULL,
    sequence int NOT NULL,
    job      json NOT NULL,
    seen_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 85);
CREATE INDEX IF NOT EXISTS followed_seen ON notifier.followed USING brin (seen_at);
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
CREATE INDEX IF NOT EXISTS notices_due
    ON notifier.notices (origin, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS notices_open ON notifier.notices (endpoint_id) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS notices_seen ON notifier.notices USING brin (seen_at);
CREATE SCHEMA IF NOT EXISTS access;
CREATE TABLE IF NOT EXISTS access.keys (
    digest     text PRIMARY KEY,
    key_id     text NOT NULL UNIQUE,
    owner      text NOT NULL,
    scopes     text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE UNLOGGED TABLE IF NOT EXISTS access.hits (
    key_id   text PRIMARY KEY,
    times    timestamptz[] NOT NULL,
    asked_at timestamptz NOT NULL,
    admitted boolean NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS access.signing_keys (
    key_id       text PRIMARY KEY,
    owner        text NOT NULL,
    secret       text NOT NULL,
    private_key  text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    active_until timestamptz
);
CREATE INDEX IF NOT EXISTS signing_keys_owner ON access.signing_keys (owner);
CREATE UNIQUE INDEX IF NOT EXISTS signing_keys_current ON access.signing_keys (owner) WHERE active_until IS NULL;
