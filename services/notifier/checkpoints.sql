-- The checkpoints of each topic, and the parked keys. Loaded by name (piperoll.postgres.load_queries).

-- begin_checkpoints: a row for each partition of a topic that has none yet
INSERT INTO notifier.checkpoints (topic, partition, next_offset, cluster_id)
SELECT $1, part, start, $4 FROM unnest($2::int[], $3::bigint[]) AS given(part, start)
ON CONFLICT (topic, partition) DO NOTHING;

-- read_checkpoints: the checkpoints of a topic
SELECT partition, next_offset, cluster_id, last_ce_id FROM notifier.checkpoints WHERE topic = $1;

-- lock_checkpoint: the next offset; locks out a second reader of the partition until commit; an error if it is locked
SELECT next_offset FROM notifier.checkpoints WHERE topic = $1 AND partition = $2 FOR UPDATE NOWAIT;

-- hold_checkpoints: the next offset of every partition of a topic; locks out its readers until commit
SELECT partition, next_offset FROM notifier.checkpoints WHERE topic = $1 ORDER BY partition FOR UPDATE;

-- advance_checkpoint: stored in the transaction of the rows it accounts for
UPDATE notifier.checkpoints SET next_offset = $3, last_ce_id = $4 WHERE topic = $1 AND partition = $2;

-- parked: the parked keys of a partition; those of other topics than the job events have a prefix
SELECT job_id FROM notifier.parked WHERE partition = $1 AND starts_with(job_id, $2);

-- park: adds keys with their first parked offset
INSERT INTO notifier.parked (job_id, partition, since_offset)
SELECT key, $1, since FROM unnest($2::text[], $3::bigint[]) AS given(key, since) ON CONFLICT DO NOTHING;

-- unpark: drops keys whose records were put back
DELETE FROM notifier.parked WHERE job_id = ANY ($2) AND partition = $1;
