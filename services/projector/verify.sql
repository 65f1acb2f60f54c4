-- What `piperoll verify` reads. All of a partition's statements run in one snapshot.

-- checkpoint: how far a partition was projected
SELECT next_offset FROM read_v1.checkpoints WHERE topic = $1 AND partition = $2;

-- jobs: a partition's job rows, whole
SELECT job_id, partition, owner, user_id, job_type, target_id, batch_id, batch_index,
       status, sequence, created, erased, created_at, updated_at, state
FROM read_v1.jobs WHERE partition = $1;

-- trails: per job of a partition a digest of its events, as piperoll.history writes them
SELECT e.job_id,
       md5(string_agg(e.sequence || ':' || e.log_offset || ':' || e.type, ',' ORDER BY e.sequence)) AS trail
FROM read_v1.events e JOIN read_v1.jobs j USING (job_id)
WHERE j.partition = $1
GROUP BY e.job_id;

-- batches: a partition's batch rows, and how many members each has
SELECT b.batch_id, b.count, b.state,
       (SELECT count(*) FROM read_v1.jobs j
        WHERE j.batch_id = b.batch_id AND j.batch_index BETWEEN 0 AND b.count - 1) AS members
FROM read_v1.batches b WHERE b.partition = $1;

-- parked: a partition's keys whose records are parked
SELECT job_id FROM read_v1.parked WHERE partition = $1;

-- deliveries: a partition's delivery rows from an offset on
SELECT job_id, log_offset, type FROM read_v1.deliveries WHERE partition = $1 AND log_offset >= $2;

-- orphans: events of no job, and members announced by no batch
SELECT 'event' AS kind, e.job_id AS id FROM read_v1.events e
WHERE NOT EXISTS (SELECT FROM read_v1.jobs j WHERE j.job_id = e.job_id)
UNION ALL
SELECT 'member', j.job_id FROM read_v1.jobs j
WHERE j.batch_index IS NOT NULL AND NOT EXISTS (SELECT FROM read_v1.batches b WHERE b.batch_id = j.batch_id)
LIMIT 100;
