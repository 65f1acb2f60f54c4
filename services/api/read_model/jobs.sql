-- Queries of jobs and batches. Each statement is one snapshot.

-- job: a job with the position of its partition, its facts except progress, and its webhooks' failures
SELECT j.*,
       (SELECT c.next_offset FROM read_v1.checkpoints c WHERE c.topic = $2 AND c.partition = j.partition),
       (SELECT json_agg(json_build_object('type', e.type, 'time', e.time, 'data', e.data) ORDER BY e.sequence)
        FROM read_v1.events e
        WHERE e.job_id = j.job_id AND e.type <> 'piperoll.JobProgress.v1') AS facts,
       (SELECT json_agg(json_build_object('type', d.type, 'time', d.time, 'data', d.data) ORDER BY d.log_offset)
        FROM read_v1.deliveries d
        WHERE d.job_id = j.job_id AND d.type <> 'piperoll.WebhookDelivered.v1'
          AND d.data ->> 'endpoint_id' IS NULL) AS failures,
       CASE WHEN NOT j.created AND j.batch_id IS NOT NULL
            THEN (SELECT b.state FROM read_v1.batches b WHERE b.batch_id = j.batch_id) END AS batch
FROM read_v1.jobs j
WHERE j.job_id = $1;

-- batch: a batch with the position of its partition
SELECT b.batch_id, b.partition, b.owner, b.state,
       (SELECT c.next_offset FROM read_v1.checkpoints c WHERE c.topic = $2 AND c.partition = b.partition)
FROM read_v1.batches b
WHERE b.batch_id = $1;

-- members: the jobs of a batch in their order
SELECT job_id, status, updated_at, erased FROM read_v1.jobs WHERE batch_id = $1 ORDER BY batch_index;

-- job_creation: how far a partition was projected; when a job of it was created, if it was, and the hash of its body
SELECT c.next_offset, c.partition, j.created_at, j.state ->> 'body_sha256' AS body_sha256
FROM read_v1.checkpoints c
LEFT JOIN read_v1.jobs j ON j.job_id = $1 AND j.created
WHERE c.topic = $2 AND c.partition = $3;

-- batch_creation: the same for a batch
SELECT c.next_offset, c.partition, b.created_at, b.state ->> 'body_sha256' AS body_sha256
FROM read_v1.checkpoints c
LEFT JOIN read_v1.batches b ON b.batch_id = $1
WHERE c.topic = $2 AND c.partition = $3;

-- standings: the status and sequence of some jobs, for requests that wait for a change
SELECT job_id, status, sequence FROM read_v1.jobs WHERE job_id = ANY ($1);

-- count_jobs: the number of an owner's jobs that pass the filters; a filter that is null passes all
SELECT count(*) FROM read_v1.jobs j
WHERE j.owner = $1 AND NOT j.erased
  AND ($2::text[] IS NULL OR j.status = ANY ($2))
  AND ($3::text IS NULL OR j.batch_id = $3)
  AND ($4::text IS NULL OR j.user_id = $4)
  AND ($5::text IS NULL OR j.job_type = $5)
  AND ($6::text IS NULL OR j.target_id = $6);

-- count_by_status: the number of an owner's jobs of each status; a filter that is null passes all
SELECT j.status, count(*) AS number FROM read_v1.jobs j
WHERE j.owner = $1 AND NOT j.erased
  AND ($2::text IS NULL OR j.batch_id = $2)
  AND ($3::text IS NULL OR j.user_id = $3)
  AND ($4::text IS NULL OR j.job_type = $4)
  AND ($5::text IS NULL OR j.target_id = $5)
GROUP BY j.status;

-- list_jobs: a page of an owner's jobs, newest first, of those that follow the job $9; what is null passes all
SELECT j.*,
       NULL::bigint AS next_offset, NULL::json AS facts, NULL::json AS failures, NULL::json AS batch
FROM read_v1.jobs j
WHERE j.owner = $1 AND NOT j.erased
  AND ($2::text[] IS NULL OR j.status = ANY ($2))
  AND ($3::text IS NULL OR j.batch_id = $3)
  AND ($4::text IS NULL OR j.user_id = $4)
  AND ($5::text IS NULL OR j.job_type = $5)
  AND ($6::text IS NULL OR j.target_id = $6)
  AND ($9::text IS NULL OR (j.created_at, j.job_id) < (
      SELECT one.created_at, one.job_id FROM read_v1.jobs one WHERE one.job_id = $9 AND one.owner = $1))
ORDER BY j.created_at DESC, j.job_id DESC
LIMIT $7 OFFSET $8;

-- search_jobs: as list_jobs, the jobs whose words match the search $10
SELECT j.*,
       NULL::bigint AS next_offset, NULL::json AS facts, NULL::json AS failures, NULL::json AS batch
FROM read_v1.job_words w JOIN read_v1.jobs j USING (job_id)
WHERE w.owner = $1 AND w.words @@ $10::text::tsquery AND j.owner = $1 AND NOT j.erased
  AND ($2::text[] IS NULL OR j.status = ANY ($2))
  AND ($3::text IS NULL OR j.batch_id = $3)
  AND ($4::text IS NULL OR j.user_id = $4)
  AND ($5::text IS NULL OR j.job_type = $5)
  AND ($6::text IS NULL OR j.target_id = $6)
  AND ($9::text IS NULL OR (j.created_at, j.job_id) < (
      SELECT one.created_at, one.job_id FROM read_v1.jobs one WHERE one.job_id = $9 AND one.owner = $1))
ORDER BY j.created_at DESC, j.job_id DESC
LIMIT $7 OFFSET $8;

-- count_found: as count_by_status, the jobs whose words match the search $6
SELECT j.status, count(*) AS number
FROM read_v1.job_words w JOIN read_v1.jobs j USING (job_id)
WHERE w.owner = $1 AND w.words @@ $6::text::tsquery AND j.owner = $1 AND NOT j.erased
  AND ($2::text IS NULL OR j.batch_id = $2)
  AND ($3::text IS NULL OR j.user_id = $3)
  AND ($4::text IS NULL OR j.job_type = $4)
  AND ($5::text IS NULL OR j.target_id = $5)
GROUP BY j.status;

-- count_batches: the number of an owner's batches that pass the filters; a filter that is null passes all
SELECT count(*) FROM read_v1.batches b
WHERE b.owner = $1 AND (b.state ->> 'erased')::boolean IS NOT TRUE
  AND ($2::text IS NULL OR b.user_id = $2)
  AND ($3::text[] IS NULL OR b.batch_id = ANY ($3));

-- list_batches: a page of an owner's batches with the counts of their members, newest first
SELECT b.state, m.processing, m.completed, m.failed, m.cancelled,
       b.count - m.processing - m.completed - m.failed - m.cancelled AS pending,
       greatest(b.created_at, m.updated_at) AS updated_at
FROM read_v1.batches b
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.processing), 0)::bigint AS processing, coalesce(sum(c.completed), 0)::bigint AS completed,
           coalesce(sum(c.failed), 0)::bigint AS failed, coalesce(sum(c.cancelled), 0)::bigint AS cancelled,
           max(c.updated_at) AS updated_at
    FROM read_v1.batch_counts c WHERE c.batch_id = b.batch_id
) m
WHERE b.owner = $1 AND (b.state ->> 'erased')::boolean IS NOT TRUE
  AND ($2::text IS NULL OR b.user_id = $2)
  AND ($3::text[] IS NULL OR b.batch_id = ANY ($3))
ORDER BY b.created_at DESC, b.batch_id DESC
LIMIT $4 OFFSET $5;

-- batch_counts: the counts from which the status of each batch of an owner is computed
SELECT b.batch_id, b.count, m.processing + m.ended AS started, m.completed, m.ended
FROM read_v1.batches b
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.processing), 0)::bigint AS processing, coalesce(sum(c.completed), 0)::bigint AS completed,
           coalesce(sum(c.completed + c.failed + c.cancelled), 0)::bigint AS ended
    FROM read_v1.batch_counts c WHERE c.batch_id = b.batch_id
) m
WHERE b.owner = $1 AND (b.state ->> 'erased')::boolean IS NOT TRUE AND ($2::text IS NULL OR b.user_id = $2);

-- changes: an owner's facts from an offset of each partition on, at most $4 of each; a job's last fact with its row
-- One snapshot: a job whose last fact is not among these appears on a later page.
SELECT behind.partition AS place, found.log_offset, found.batch_id IS NOT NULL AS about_batch,
       found.type IS DISTINCT FROM 'piperoll.JobProgress.v1' AS counts, found.sequence = j.sequence AS newest,
       j.job_id, j.partition, j.owner, j.user_id, j.job_type, j.target_id,
       coalesce(found.batch_id, j.batch_id) AS batch_id, j.batch_index,
       j.status, j.created, j.erased, j.created_at, j.updated_at,
       CASE WHEN found.sequence = j.sequence THEN j.state END AS state,
       NULL::bigint AS next_offset, NULL::json AS facts, NULL::json AS failures, NULL::json AS batch
FROM unnest($2::int[], $3::bigint[]) AS behind (partition, next_offset)
CROSS JOIN LATERAL (
    (SELECT e.log_offset, e.type, e.job_id, e.sequence, NULL AS batch_id
     FROM read_v1.events e
     WHERE e.owner = $1 AND e.partition = behind.partition AND e.log_offset >= behind.next_offset
     ORDER BY e.log_offset
     LIMIT $4)
    UNION ALL
    (SELECT b.log_offset, NULL, NULL, NULL, b.batch_id
     FROM read_v1.batches b
     WHERE b.owner = $1 AND b.partition = behind.partition AND b.log_offset >= behind.next_offset
     ORDER BY b.log_offset
     LIMIT $4)
    ORDER BY log_offset
    LIMIT $4
) found
LEFT JOIN read_v1.jobs j ON j.job_id = found.job_id
ORDER BY behind.partition, found.log_offset;

-- events: a job's facts after a sequence number
SELECT sequence, log_offset, type, time, data FROM read_v1.events
WHERE job_id = $1 AND sequence > $2
ORDER BY sequence
LIMIT $3;

-- deliveries: the facts about a job's webhooks
SELECT type, time, data FROM read_v1.deliveries WHERE job_id = $1 ORDER BY log_offset;

-- positions: the next offset of each partition of some topics
SELECT topic, partition, next_offset FROM read_v1.checkpoints WHERE topic = ANY ($1);

-- devana_jobs: a page of an owner's jobs of some types and statuses, of the last 24 hours, newest first
-- One index scan per type and status, so that a rare one is not searched for among the others.
WITH page AS (
    SELECT found.job_id, found.created_at
    FROM unnest($2::text[]) AS types (job_type)
    CROSS JOIN unnest($3::text[]) AS statuses (status)
    CROSS JOIN LATERAL (
        SELECT j.job_id, j.created_at
        FROM read_v1.jobs j
        WHERE j.owner = $1 AND j.job_type = types.job_type AND j.status = statuses.status AND NOT j.erased
          AND j.created_at > now() - interval '24 hours'
        ORDER BY j.created_at DESC, j.job_id DESC
        LIMIT $4::int + $5::int
    ) found
    ORDER BY found.created_at DESC, found.job_id DESC
    LIMIT $4::int OFFSET $5::int
)
SELECT j.*,
       NULL::bigint AS next_offset, NULL::json AS facts, NULL::json AS failures, NULL::json AS batch
FROM page JOIN read_v1.jobs j USING (job_id)
ORDER BY page.created_at DESC, page.job_id DESC;

-- devana_jobs_of_target: the same for one target: a job's target_id, else its batch, else itself
WITH page AS (
    SELECT found.job_id, found.created_at
    FROM unnest($2::text[]) AS types (job_type)
    CROSS JOIN unnest($3::text[]) AS statuses (status)
    CROSS JOIN LATERAL (
        (SELECT j.job_id, j.created_at
         FROM read_v1.jobs j
         WHERE j.owner = $1 AND j.target_id = $6 AND j.job_type = types.job_type AND j.status = statuses.status
           AND NOT j.erased AND j.created_at > now() - interval '24 hours'
         ORDER BY j.created_at DESC, j.job_id DESC
         LIMIT $4::int + $5::int)
        UNION ALL
        (SELECT j.job_id, j.created_at
         FROM read_v1.jobs j
         WHERE j.owner = $1 AND j.batch_id = $6 AND j.job_type = types.job_type AND j.status = statuses.status
           AND j.target_id IS NULL AND NOT j.erased AND j.created_at > now() - interval '24 hours'
         ORDER BY j.created_at DESC, j.job_id DESC
         LIMIT $4::int + $5::int)
        UNION ALL
        SELECT j.job_id, j.created_at
        FROM read_v1.jobs j
        WHERE j.job_id = $6 AND j.owner = $1 AND j.job_type = types.job_type AND j.status = statuses.status
          AND j.target_id IS NULL AND j.batch_id IS NULL AND NOT j.erased
          AND j.created_at > now() - interval '24 hours'
    ) found
    ORDER BY found.created_at DESC, found.job_id DESC
    LIMIT $4::int OFFSET $5::int
)
SELECT j.*,
       NULL::bigint AS next_offset, NULL::json AS facts, NULL::json AS failures, NULL::json AS batch
FROM page JOIN read_v1.jobs j USING (job_id)
ORDER BY page.created_at DESC, page.job_id DESC;
