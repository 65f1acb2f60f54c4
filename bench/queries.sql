-- The queries of the measurements: run before and after a measured interval, or ten times a second at its end.

-- analyze: a new table has no statistics
ANALYZE;

-- positions: the projector's next offsets
SELECT partition, next_offset FROM read_v1.checkpoints WHERE topic = $1;

-- ended: how many of some jobs have ended, and how many of those completed
SELECT count(*) AS ended, count(*) FILTER (WHERE status = 'completed') AS completed
FROM read_v1.jobs WHERE job_id = ANY ($1) AND status IN ('completed', 'failed', 'cancelled');

-- completions: the log offset of each job's completion
SELECT e.job_id, j.partition, e.log_offset
FROM read_v1.events e JOIN read_v1.jobs j USING (job_id)
WHERE e.type = 'piperoll.JobCompleted.v1' AND e.job_id = ANY ($1);

-- wal: the end of the write-ahead log, in bytes
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS bytes;

-- tables: rows written so far and size on disk with indexes, of all tables of the services
SELECT schemaname || '.' || relname AS name, n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_del AS deleted,
       pg_total_relation_size(relid) AS bytes
FROM pg_stat_user_tables ORDER BY 1;

-- pages: how many pages some completed jobs read
SELECT sum((data ->> 'pages')::int) FROM read_v1.events
WHERE type = 'piperoll.JobCompleted.v1' AND job_id = ANY ($1);

-- starts: each start of some jobs, in the order of time, with the name of its worker
SELECT job_id, extract(epoch FROM time)::float8 AS at, data ->> 'worker' AS worker FROM read_v1.events
WHERE type = 'piperoll.JobStarted.v1' AND job_id = ANY ($1) ORDER BY time;
