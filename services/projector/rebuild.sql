-- Statements of a rebuild. The schema names are literal: they are never replaced.

-- lock_rebuild: one rebuild at a time; held by the connection
SELECT pg_try_advisory_lock($1);

-- drop_leftovers: removes what an interrupted rebuild left
DROP SCHEMA IF EXISTS read_v1_rebuild, read_v1_retired CASCADE;

-- fence: stops the projectors between two transactions, and no reader
-- A session that waited for this lock resolves the name again, and so uses the new table after the swap.
LOCK TABLE read_v1.checkpoints IN EXCLUSIVE MODE;

-- retire: the first half of the swap
ALTER SCHEMA read_v1 RENAME TO read_v1_retired;

-- promote: the second half of the swap
ALTER SCHEMA read_v1_rebuild RENAME TO read_v1;

-- announce: notifies the API of the checkpoints, which may be later than those of the old tables
SELECT pg_notify('piperoll_read_v1', $2 || ':' || partition || ':' || next_offset)
FROM read_v1.checkpoints WHERE topic = $1;

-- drop_retired: drops the old tables; waits for transactions that still read them
DROP SCHEMA read_v1_retired CASCADE;

-- analyze: without statistics, Postgres would plan queries as for empty tables
ANALYZE read_v1_rebuild.jobs, read_v1_rebuild.events, read_v1_rebuild.batches, read_v1_rebuild.batch_counts,
    read_v1_rebuild.deliveries, read_v1_rebuild.unread_jobs, read_v1_rebuild.ends,
    read_v1_rebuild.documents, read_v1_rebuild.folders, read_v1_rebuild.folder_members, read_v1_rebuild.chunks,
    read_v1_rebuild.endpoints;
