-- The projector's statements. All of a transaction's writes happen under the lock on its checkpoint row.

-- lock_migrations: only one process at a time creates tables
SELECT pg_advisory_xact_lock($1);

-- made_by: the version of the tables, empty if not recorded; null if there are none
SELECT coalesce(obj_description(to_regnamespace('read_v1'), 'pg_namespace'), '')
WHERE to_regclass('read_v1.jobs') IS NOT NULL;

-- discard: drops all tables
DROP SCHEMA read_v1 CASCADE;

-- make_vectors: the type of vectors, once per database
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;

-- add_checkpoint: the first checkpoint of a partition, at its oldest record
INSERT INTO read_v1.checkpoints (topic, partition, next_offset, cluster_id)
VALUES ($1, $2, $3, $4)
ON CONFLICT (topic, partition) DO NOTHING;

-- read_checkpoint: the next offset of a partition, and its cluster
SELECT next_offset, cluster_id, last_ce_id FROM read_v1.checkpoints WHERE topic = $1 AND partition = $2;

-- read_checkpoints: the next offsets of a topic
SELECT partition, next_offset FROM read_v1.checkpoints WHERE topic = $1;

-- lock_checkpoint: one projector at a time writes the rows of a partition; an error if it is locked
SELECT next_offset FROM read_v1.checkpoints WHERE topic = $1 AND partition = $2 FOR UPDATE NOWAIT;

-- move_checkpoint: skips records that the log no longer holds
UPDATE read_v1.checkpoints SET next_offset = $3, last_ce_id = NULL WHERE topic = $1 AND partition = $2;

-- advance: moves the checkpoint and notifies its listeners; $5 is the topic's short name
UPDATE read_v1.checkpoints SET next_offset = $3, last_ce_id = $4
WHERE topic = $1 AND partition = $2
RETURNING pg_notify('piperoll_read_v1', $5 || ':' || partition || ':' || next_offset);

-- load: the stored states of some keys, in one round trip
SELECT 'job' AS kind, job_id AS key, state FROM read_v1.jobs WHERE job_id = ANY ($1) AND sequence > 0
UNION ALL
SELECT 'batch', batch_id, state FROM read_v1.batches WHERE batch_id = ANY ($1);

-- parked: the parked keys of a partition of a topic; those of the deliveries have a prefix
SELECT job_id FROM read_v1.parked WHERE partition = $1 AND starts_with(job_id, $2);

-- upsert_jobs: rows of folded jobs and of announced members (sequence 0), in the order of their ids
-- The result does not depend on which row is written first: the fold's columns are those of the higher sequence, the
-- details those of the JobCreated, or of the announcement until it is read. The counts of batches change by the same
-- rows: jobs first, then counts, both in one order, so that no two transactions wait for each other.
WITH written AS (
INSERT INTO read_v1.jobs AS old (
    job_id, partition, owner, user_id, job_type, target_id, batch_id, batch_index,
    status, sequence, created, erased, created_at, updated_at, state
)
SELECT * FROM unnest(
    $1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[],
    $9::text[], $10::int[], $11::boolean[], $12::boolean[], $13::timestamptz[], $14::timestamptz[], $15::json[]
)
ON CONFLICT (job_id) DO UPDATE SET
    batch_id    = coalesce(EXCLUDED.batch_id, old.batch_id),
    batch_index = coalesce(EXCLUDED.batch_index, old.batch_index),
    user_id     = CASE WHEN EXCLUDED.created OR EXCLUDED.sequence = 0 AND NOT old.created
                       THEN EXCLUDED.user_id ELSE old.user_id END,
    job_type    = CASE WHEN EXCLUDED.created OR EXCLUDED.sequence = 0 AND NOT old.created
                       THEN EXCLUDED.job_type ELSE old.job_type END,
    target_id   = CASE WHEN EXCLUDED.created OR EXCLUDED.sequence = 0 AND NOT old.created
                       THEN EXCLUDED.target_id ELSE old.target_id END,
    created_at  = CASE WHEN EXCLUDED.created OR EXCLUDED.sequence = 0 AND NOT old.created
                       THEN EXCLUDED.created_at ELSE old.created_at END,
    owner       = CASE WHEN EXCLUDED.sequence > old.sequence THEN EXCLUDED.owner ELSE old.owner END,
    status      = CASE WHEN EXCLUDED.sequence > old.sequence THEN EXCLUDED.status ELSE old.status END,
    sequence    = CASE WHEN EXCLUDED.sequence > old.sequence THEN EXCLUDED.sequence ELSE old.sequence END,
    created     = CASE WHEN EXCLUDED.sequence > old.sequence THEN EXCLUDED.created ELSE old.created END,
    erased      = CASE WHEN EXCLUDED.sequence > old.sequence THEN EXCLUDED.erased ELSE old.erased END,
    updated_at  = CASE WHEN EXCLUDED.sequence > old.sequence THEN EXCLUDED.updated_at ELSE old.updated_at END,
    state       = CASE WHEN EXCLUDED.sequence > old.sequence THEN EXCLUDED.state ELSE old.state END
RETURNING WITH (OLD AS earlier, NEW AS later)
    later.batch_id, later.partition, later.updated_at, later.sequence, later.status,
    CASE WHEN earlier.batch_id IS NOT NULL THEN earlier.status END AS was
), moved AS (
    SELECT batch_id, partition,
           count(*) FILTER (WHERE status = 'processing') - count(*) FILTER (WHERE was = 'processing') AS processing,
           count(*) FILTER (WHERE status = 'completed') - count(*) FILTER (WHERE was = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'failed') - count(*) FILTER (WHERE was = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'cancelled') - count(*) FILTER (WHERE was = 'cancelled') AS cancelled,
           max(updated_at) AS updated_at
    FROM written
    WHERE batch_id IS NOT NULL AND sequence > 0
    GROUP BY batch_id, partition
)
INSERT INTO read_v1.batch_counts AS kept (
    batch_id, partition, processing, completed, failed, cancelled, updated_at
)
SELECT * FROM moved ORDER BY batch_id, partition
ON CONFLICT (batch_id, partition) DO UPDATE SET
    processing = kept.processing + EXCLUDED.processing,
    completed  = kept.completed + EXCLUDED.completed,
    failed     = kept.failed + EXCLUDED.failed,
    cancelled  = kept.cancelled + EXCLUDED.cancelled,
    updated_at = greatest(kept.updated_at, EXCLUDED.updated_at);

-- insert_events: accepted facts of a partition ($1); the statement fails if a sequence number exists already
INSERT INTO read_v1.events (partition, job_id, sequence, owner, log_offset, type, time, data)
SELECT $1::int, *
FROM unnest($2::text[], $3::int[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $8::json[]);

-- upsert_batches: batches, whose facts are in one partition
INSERT INTO read_v1.batches (batch_id, partition, owner, user_id, created_at, count, log_offset, state)
SELECT * FROM unnest(
    $1::text[], $2::int[], $3::text[], $4::text[], $5::timestamptz[], $6::int[], $7::bigint[], $8::json[]
)
ON CONFLICT (batch_id) DO UPDATE SET log_offset = EXCLUDED.log_offset, state = EXCLUDED.state;

-- count_ends: adds ended jobs to the spans of a partition ($1), and removes spans before the first ones to keep ($8, $9)
-- What is added is never before these, so that no row is removed and written by one statement.
WITH expired AS (
    DELETE FROM read_v1.ends old USING unnest($8::int[], $9::timestamptz[]) AS first (seconds, at)
    WHERE old.partition = $1 AND old.seconds = first.seconds AND old.at < first.at
)
INSERT INTO read_v1.ends AS kept (partition, seconds, at, completed, failed, cancelled, bins)
SELECT $1::int, seconds, at, completed, failed, cancelled, bins::bigint[]
FROM unnest($2::int[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
    AS added (seconds, at, completed, failed, cancelled, bins)
ON CONFLICT (partition, seconds, at) DO UPDATE SET
    completed = kept.completed + EXCLUDED.completed,
    failed    = kept.failed + EXCLUDED.failed,
    cancelled = kept.cancelled + EXCLUDED.cancelled,
    bins      = ARRAY(SELECT coalesce(one, 0) + coalesce(other, 0)
                      FROM unnest(kept.bins, EXCLUDED.bins) WITH ORDINALITY AS pair (one, other, number)
                      ORDER BY number);

-- park: stores keys whose later records go to the dead letters too, in the partition where they belong
INSERT INTO read_v1.parked AS old (job_id, partition, since_offset)
SELECT key, $3, since FROM unnest($1::text[], $2::bigint[]) AS parked (key, since)
ON CONFLICT (job_id) DO UPDATE SET partition = EXCLUDED.partition, since_offset = EXCLUDED.since_offset
    WHERE old.partition <> EXCLUDED.partition;

-- unpark: drops keys whose records were put back
DELETE FROM read_v1.parked WHERE job_id = ANY ($1) AND partition = $2;

-- insert_deliveries: the outcomes of webhook attempts; the first record of a fact counts
INSERT INTO read_v1.deliveries (job_id, partition, log_offset, type, time, data, ce_id)
SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::timestamptz[], $6::json[], $7::text[])
ON CONFLICT (job_id, ce_id) DO NOTHING;

-- expire_deliveries: removes at most $3 rows of records that the log no longer holds; returns their number
WITH gone AS (
    DELETE FROM read_v1.deliveries WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM read_v1.deliveries WHERE partition = $1 AND log_offset < $2 ORDER BY log_offset LIMIT $3))
    RETURNING 1
)
SELECT count(*) FROM gone;
