-- The statements of `piperoll verify`. All of a partition's statements run in one snapshot.

-- checkpoint: the next offset of a partition
SELECT next_offset FROM read_v1.checkpoints WHERE topic = $1 AND partition = $2;

-- jobs: a partition's job rows, whole
SELECT * FROM read_v1.jobs WHERE partition = $1;

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
SELECT job_id, since_offset FROM read_v1.parked WHERE partition = $1;

-- parked_by_expired: those of the deliveries whose undecodable record the log no longer keeps
SELECT job_id FROM read_v1.parked WHERE partition = $1 AND job_id LIKE 'deliveries/%' AND since_offset < $2;

-- deliveries: a partition's delivery rows from an offset on
SELECT job_id, log_offset, type FROM read_v1.deliveries WHERE partition = $1 AND log_offset >= $2;

-- orphans: rows that belong to nothing: events (also in another partition than their job), indexes, members, entries,
-- words (also of an erased job)
SELECT 'event' AS kind, e.job_id AS id FROM read_v1.events e
WHERE NOT EXISTS (SELECT FROM read_v1.jobs j
                  WHERE j.job_id = e.job_id AND j.owner = e.owner AND j.partition = e.partition)
UNION ALL
SELECT 'member', j.job_id FROM read_v1.jobs j
WHERE j.batch_index IS NOT NULL AND NOT EXISTS (SELECT FROM read_v1.batches b WHERE b.batch_id = j.batch_id)
UNION ALL
SELECT 'index', i.job_id FROM read_v1.index_jobs i
WHERE NOT EXISTS (SELECT FROM read_v1.jobs j WHERE j.job_id = i.job_id)
UNION ALL
SELECT 'index of words', w.job_id FROM read_v1.job_words w
WHERE NOT EXISTS (SELECT FROM read_v1.jobs j WHERE j.job_id = w.job_id AND NOT j.erased)
UNION ALL
SELECT 'entry', m.document_id FROM read_v1.folder_members m
WHERE NOT EXISTS (SELECT FROM read_v1.folders f WHERE f.folder_id = m.folder_id)
LIMIT 100;

-- miscounted: batches whose counts are not those of their members' rows
SELECT coalesce(m.batch_id, c.batch_id) AS batch_id
FROM (SELECT batch_id, partition, max(updated_at) AS updated_at,
             count(*) FILTER (WHERE status = 'processing') AS processing,
             count(*) FILTER (WHERE status = 'completed') AS completed,
             count(*) FILTER (WHERE status = 'failed') AS failed,
             count(*) FILTER (WHERE status = 'cancelled') AS cancelled
      FROM read_v1.jobs WHERE batch_id IS NOT NULL AND sequence > 0
      GROUP BY batch_id, partition) m
FULL JOIN read_v1.batch_counts c USING (batch_id, partition)
WHERE (m.processing, m.completed, m.failed, m.cancelled, m.updated_at)
      IS DISTINCT FROM (c.processing, c.completed, c.failed, c.cancelled, c.updated_at)
LIMIT 100;

-- miscounted_ends: minutes and hours whose counts are not those of the jobs that ended in them
-- Spans before the first one to keep may be there still, and are not compared.
WITH ended AS (
    SELECT partition, status, (state ->> 'ended_at')::timestamptz AS ended_at
    FROM read_v1.jobs WHERE status IN ('completed', 'failed', 'cancelled') AND sequence > 0
), first AS (
    SELECT partition, seconds, date_bin(make_interval(secs => seconds), max(ended_at) - kept, 'epoch') AS at
    FROM ended CROSS JOIN (VALUES (60, interval '2 hours'), (3600, interval '2 days')) AS span (seconds, kept)
    GROUP BY partition, seconds, kept
), expected AS (
    SELECT partition, seconds, date_bin(make_interval(secs => seconds), ended_at, 'epoch') AS at,
           count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled
    FROM ended JOIN first USING (partition)
    WHERE date_bin(make_interval(secs => seconds), ended_at, 'epoch') >= first.at
    GROUP BY 1, 2, 3
), stored AS (
    SELECT partition, seconds, at, completed, failed, cancelled, (SELECT sum(one) FROM unnest(bins) AS one) AS timed
    FROM read_v1.ends e
    WHERE NOT EXISTS (SELECT FROM first f
                      WHERE f.partition = e.partition AND f.seconds = e.seconds AND e.at < f.at)
)
SELECT partition, seconds, at
FROM expected e FULL JOIN stored s USING (partition, seconds, at)
WHERE (e.completed, e.failed, e.cancelled) IS DISTINCT FROM (s.completed, s.failed, s.cancelled)
   OR s.completed + s.failed <> coalesce(s.timed, 0)
LIMIT 100;

-- documents: a partition's document rows, whole
SELECT * FROM read_v1.documents WHERE partition = $1;

-- folders: a partition's folder rows, whole
SELECT * FROM read_v1.folders WHERE partition = $1;

-- endpoints: a partition's endpoint rows, whole
SELECT * FROM read_v1.endpoints WHERE partition = $1;

-- members: the members of a partition's folders
SELECT m.folder_id, m.document_id, m.added_at
FROM read_v1.folder_members m JOIN read_v1.folders f USING (folder_id) WHERE f.partition = $1;

-- index_jobs: the indexes of a partition's embedding jobs, and whether they are loaded
SELECT i.job_id, i.folder_id, i.job_created_at, x.job_id IS NOT NULL AS loaded, x.model, x.dimensions, x.chunks
FROM read_v1.index_jobs i
JOIN read_v1.jobs j USING (job_id)
LEFT JOIN read_v1.folder_indexes x USING (folder_id, job_id)
WHERE j.partition = $1;

-- chunks: those of one job, their text and vector as hashes
SELECT position, document_id, number, md5(text), md5(vector_send(embedding)) FROM read_v1.chunks WHERE job_id = $1;

-- passed_over: indexes newer than the loaded one of their folder; all of them if none is loaded
SELECT i.folder_id, i.job_id, i.uri, coalesce(x.job_id, 'no job') AS loaded
FROM read_v1.index_jobs i LEFT JOIN read_v1.folder_indexes x USING (folder_id)
WHERE (x.job_id IS NULL OR (i.job_created_at, i.job_id) > (x.job_created_at, x.job_id))
  AND NOT EXISTS (SELECT FROM read_v1.folders f WHERE f.folder_id = i.folder_id AND f.removed)
LIMIT 100;

-- unexpected_search_rows: rows of the search that should not exist
SELECT DISTINCT c.job_id AS id, 'has chunks in the tables and is not loaded' AS sentence FROM read_v1.chunks c
WHERE NOT EXISTS (SELECT FROM read_v1.folder_indexes x WHERE x.job_id = c.job_id AND x.folder_id = c.folder_id)
UNION ALL
SELECT DISTINCT c.document_id, 'was removed and still has chunks'
FROM read_v1.chunks c JOIN read_v1.documents d USING (document_id) WHERE d.removed
UNION ALL
SELECT x.folder_id, 'was removed and still has an index'
FROM read_v1.folder_indexes x JOIN read_v1.folders f USING (folder_id) WHERE f.removed
UNION ALL
SELECT x.folder_id, 'has an index loaded that no job made' FROM read_v1.folder_indexes x
WHERE NOT EXISTS (SELECT FROM read_v1.index_jobs i WHERE i.job_id = x.job_id AND i.folder_id = x.folder_id)
LIMIT 100;

-- removed_documents: those of some documents that were removed longer ago than a grace period
SELECT d.document_id FROM read_v1.documents d
WHERE d.document_id = ANY ($1) AND d.removed AND d.updated_at < now() - $2::interval;

-- unerased_jobs: jobs about documents, and about folders ($1: of these types), that were removed later, longer ago than $2
SELECT j.job_id, j.target_id FROM read_v1.jobs j
JOIN read_v1.documents d ON d.document_id = j.target_id AND d.owner = j.owner
WHERE d.removed AND NOT j.erased AND j.created_at < d.updated_at AND d.updated_at < now() - $2::interval
UNION ALL
SELECT j.job_id, j.target_id FROM read_v1.jobs j
JOIN read_v1.folders f ON f.folder_id = j.target_id AND f.owner = j.owner
WHERE f.removed AND NOT j.erased AND j.job_type = ANY ($1)
  AND j.created_at < f.updated_at AND f.updated_at < now() - $2::interval
LIMIT 100;
