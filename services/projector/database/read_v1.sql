-- The read model, version 1. Tables are never altered: those of another shape are refused and rebuilt from the log.
-- A row's `state` is the fold's own JSON (piperoll.domain.job.CODEC); the columns beside it are for finding rows.
-- The type `vector` is pgvector's, which is in the schema public and remains in all versions.
CREATE SCHEMA IF NOT EXISTS read_v1;

-- The jobs and their states. `sequence` 0 is a batch member announced by its BatchCreated.
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
-- The lists show jobs that are not erased, newest first. With type and status before the time, the list of the Devana
-- API reads the newest jobs of each and no others, however rare they are; a list by status alone skips
-- over the types (Postgres 18), and needs no separate index. A change of status writes every index that the row is
-- in, progress none: so those of targets and batches hold only the jobs that have one.
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

-- The words by which a job is found: of its ids, its names and the beginning of its text (services/projector/words).
CREATE TABLE IF NOT EXISTS read_v1.job_words (
    job_id text PRIMARY KEY,
    owner  text NOT NULL,
    words  tsvector NOT NULL
);
CREATE INDEX IF NOT EXISTS job_words_by_word ON read_v1.job_words USING gin (words);

-- The jobs whose content is to be read for their words, with the number of the fact that requires it.
CREATE TABLE IF NOT EXISTS read_v1.unread_jobs (
    partition int NOT NULL,
    job_id    text NOT NULL,
    sequence  int NOT NULL,
    PRIMARY KEY (partition, job_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- The accepted facts of each job, numbered by the fold. Owner and offset lead from a position in the
-- log to later changes. They are here, where rows are only added, not in jobs: an index on the offset of a job's last
-- fact would be written, with all the others, at each progress.
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

-- The batches, and the offset of the last fact about each.
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

-- The members of each batch by status, those that are not pending, and when the last of them changed; a row for each
-- partition that has members, so that projectors of different partitions do not wait for each other.
CREATE TABLE IF NOT EXISTS read_v1.batch_counts (
    batch_id   text NOT NULL,
    partition  int NOT NULL,
    processing bigint NOT NULL,
    completed  bigint NOT NULL,
    failed     bigint NOT NULL,
    cancelled  bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (batch_id, partition)
) WITH (fillfactor = 85);

-- How many jobs ended in each minute (`seconds` 60) and each hour (3600) of the last ones of a partition, and how long
-- those took that were not cancelled, from creation to end, in the bins of piperoll.domain.durations.
CREATE TABLE IF NOT EXISTS read_v1.ends (
    partition int NOT NULL,
    seconds   int NOT NULL,
    at        timestamptz NOT NULL,
    completed bigint NOT NULL,
    failed    bigint NOT NULL,
    cancelled bigint NOT NULL,
    bins      bigint[] NOT NULL,
    PRIMARY KEY (partition, seconds, at)
) WITH (fillfactor = 50);

-- The outcome of each webhook attempt, from the deliveries topic. A fact that was appended twice has one row.
CREATE TABLE IF NOT EXISTS read_v1.deliveries (
    job_id      text NOT NULL,
    partition   int NOT NULL,
    log_offset  bigint NOT NULL,
    type        text NOT NULL,
    time        timestamptz NOT NULL,
    data        json NOT NULL,
    ce_id       text NOT NULL,
    PRIMARY KEY (job_id, ce_id)
);
-- What a poll adds, and what the log no longer holds, is at one place of it. Those of a job are found by the key.
CREATE INDEX IF NOT EXISTS deliveries_by_place ON read_v1.deliveries (partition, log_offset);
-- Held and given-up deliveries by receiver; other rows are not in the index.
CREATE INDEX IF NOT EXISTS deliveries_by_origin ON read_v1.deliveries ((data ->> 'origin_sha256'), time)
    WHERE type = 'piperoll.WebhookAbandoned.v1' AND data ->> 'origin_sha256' IS NOT NULL;

-- The checkpoint of each partition, written in the transaction of the rows.
CREATE TABLE IF NOT EXISTS read_v1.checkpoints (
    topic       text NOT NULL,
    partition   int NOT NULL,
    next_offset bigint NOT NULL,
    cluster_id  text NOT NULL,
    last_ce_id  text,
    PRIMARY KEY (topic, partition)
);

-- Keys with an undecodable record, of every topic (`job_id` holds the key): later records go to the dead letters too.
CREATE TABLE IF NOT EXISTS read_v1.parked (
    job_id    text PRIMARY KEY,
    partition int NOT NULL,
    since_offset bigint NOT NULL
);

-- The documents, from the documents topic. A removed one keeps its row, so that its end is known.
-- `name` and `source` are read from the details claim: null once that is gone.
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

-- The folders. `chunk_size` is null in a stub, which is a folder removed before it was created.
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

-- The members of folders by the folders' facts; whether a document was removed is in its row.
CREATE TABLE IF NOT EXISTS read_v1.folder_members (
    folder_id   text NOT NULL,
    document_id text NOT NULL,
    added_at    timestamptz NOT NULL,
    PRIMARY KEY (folder_id, document_id)
);
CREATE INDEX IF NOT EXISTS folder_members_by_document ON read_v1.folder_members (document_id);

-- The embedding jobs with an index that was not erased, and its folder. The newest one of a folder is loaded.
CREATE TABLE IF NOT EXISTS read_v1.index_jobs (
    job_id         text PRIMARY KEY,
    folder_id      text NOT NULL,
    job_created_at timestamptz NOT NULL,
    uri            text NOT NULL
);
CREATE INDEX IF NOT EXISTS index_jobs_by_folder ON read_v1.index_jobs (folder_id, job_created_at DESC, job_id DESC);

-- The job whose index is loaded for a folder: the newest by (job_created_at, job_id), in any order of reading.
CREATE TABLE IF NOT EXISTS read_v1.folder_indexes (
    folder_id      text PRIMARY KEY,
    job_id         text NOT NULL,
    job_created_at timestamptz NOT NULL,
    model          text NOT NULL,
    dimensions     int NOT NULL,
    chunks         int NOT NULL
);

-- The chunks of those indexes and their vectors, without those of removed documents. `position` counts within the
-- index. Searched without an index, one folder at a time, because models differ in dimensions and folders are small.
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

-- The endpoints registered for changes of status, from the endpoints topic. `url` is read from the settings claim:
-- null once the endpoint was removed. It has no secret.
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

-- The version of these tables: the hash of these statements.
COMMENT ON SCHEMA read_v1 IS '{shape}';
