-- Rows for measuring the list of the Devana API: written directly, as a million jobs through the log take an hour.

-- fill: $1 jobs of one owner, spread evenly over the last 24 hours; $2 is the state in each row
-- Types and statuses have a realistic skew: most jobs are completed extractions, few others are in progress, and one
-- target has a fifth of all jobs.
INSERT INTO read_v1.jobs (
    job_id, partition, owner, user_id, job_type, target_id, batch_id, batch_index,
    status, sequence, created, erased, created_at, updated_at, state
)
SELECT 'job-' || gen_random_uuid(), n % 24, 'bench', 'user-' || n % 50,
       CASE WHEN n % 10000 = 7 THEN 'sync' WHEN n % 1000 = 8 THEN 'embedding' WHEN n % 500 = 9 THEN 'import'
            WHEN n % 50 = 3 THEN 'transcription' WHEN n % 25 = 4 THEN 'session' WHEN n % 20 = 5 THEN 'generation'
            WHEN n % 10 = 6 THEN 'transformer' WHEN n % 2 = 0 THEN 'pdf' ELSE 'extraction' END,
       CASE WHEN n % 10 < 2 THEN 'folder-of-many' WHEN n % 10 < 6 THEN 'doc-' || n / 30 END,
       CASE WHEN n % 10 = 9 THEN 'batch-' || n / ($1::int / 10) END,
       CASE WHEN n % 10 = 9 THEN n % ($1::int / 10) / 10 END,
       CASE WHEN n % 40 = 1 THEN 'cancelled' WHEN n % 2000 = 10 THEN 'failed' WHEN n % 300 = 12 THEN 'pending'
            WHEN n % 50000 = 20 THEN 'processing' ELSE 'completed' END,
       3, true, n % 200 = 14, now() - n * interval '86000 seconds' / $1::int, now(), $2::json
FROM generate_series(1, $1::int) AS n;

-- analyze: as autovacuum does after a table has grown
VACUUM (ANALYZE) read_v1.jobs;
