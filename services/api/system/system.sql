-- What an administrator sees of the tables. Read at most every few seconds (services.api.system.overview).

-- queue: the open jobs of each owner and type, the oldest that waits for nothing but a slot, and the workers of runs
-- One look into the index leads from each owner and type to the next, so ended jobs are not read, however many there are.
WITH RECURSIVE kinds AS (
    (SELECT owner, job_type FROM read_v1.jobs WHERE NOT erased ORDER BY owner, job_type LIMIT 1)
    UNION ALL
    SELECT following.owner, following.job_type
    FROM kinds CROSS JOIN LATERAL (
        SELECT j.owner, j.job_type FROM read_v1.jobs j
        WHERE NOT j.erased AND (j.owner, j.job_type) > (kinds.owner, kinds.job_type)
        ORDER BY j.owner, j.job_type
        LIMIT 1
    ) following
)
SELECT k.owner, k.job_type, waiting.pending, running.processing, running.workers, oldest.job_id, oldest.created_at
FROM kinds k
CROSS JOIN LATERAL (
    SELECT count(*) AS pending FROM read_v1.jobs j
    WHERE j.owner = k.owner AND j.job_type = k.job_type AND j.status = 'pending' AND NOT j.erased
) waiting
CROSS JOIN LATERAL (
    SELECT count(*) AS processing, coalesce(array_agg(j.state ->> 'worker'), '{}') AS workers FROM read_v1.jobs j
    WHERE j.owner = k.owner AND j.job_type = k.job_type AND j.status = 'processing' AND NOT j.erased
) running
LEFT JOIN LATERAL (
    SELECT j.job_id, j.created_at FROM read_v1.jobs j
    WHERE j.owner = k.owner AND j.job_type = k.job_type AND j.status = 'pending' AND NOT j.erased
      AND coalesce((j.state ->> 'due')::timestamptz <= now(), true)
    ORDER BY j.created_at, j.job_id
    LIMIT 1
) oldest ON true
WHERE waiting.pending + running.processing > 0
ORDER BY waiting.pending DESC, running.processing DESC, k.owner, k.job_type;

-- ends: the jobs that ended in each minute from $1 on and each hour from $2 on, of all partitions
WITH spans AS (
    SELECT * FROM read_v1.ends WHERE seconds = 60 AND at >= $1 OR seconds = 3600 AND at >= $2
), durations AS (
    SELECT seconds, at, array_agg(number ORDER BY bin) AS bins
    FROM (SELECT seconds, at, bin, sum(number)::bigint AS number
          FROM spans CROSS JOIN unnest(bins) WITH ORDINALITY AS counted (number, bin)
          GROUP BY seconds, at, bin) summed
    GROUP BY seconds, at
), numbers AS (
    SELECT seconds, at, sum(completed)::bigint AS completed, sum(failed)::bigint AS failed,
           sum(cancelled)::bigint AS cancelled
    FROM spans GROUP BY seconds, at
)
SELECT seconds, at, completed, failed, cancelled, coalesce(bins, '{}') AS bins
FROM numbers LEFT JOIN durations USING (seconds, at);

-- receivers: receivers at which webhooks wait after failures, those with the most first; the view is the notifier's
SELECT owner, origin, kind, waiting, attempts, next_attempt_at, job_id FROM notifier.failing_receivers
ORDER BY waiting DESC, owner, origin, kind
LIMIT $1;

-- failures: the last failed attempt of each of some jobs
SELECT DISTINCT ON (job_id) job_id, data ->> 'reason' AS reason, (data ->> 'status')::int AS status
FROM read_v1.deliveries
WHERE job_id = ANY ($1) AND type = 'piperoll.WebhookFailed.v1'
ORDER BY job_id, log_offset DESC;

-- sessions: the names of the sessions of API processes
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, $1);
