-- The projector's statements about the search. Jobs and documents of several partitions share these tables, so
-- all of it happens under one lock.

-- lock: held to the end of the transaction; named after the schema, so that a rebuild has another one
SELECT pg_advisory_xact_lock(hashtext('read_v1.chunks'));

-- add_index_job: an embedding job completed
INSERT INTO read_v1.index_jobs (job_id, folder_id, job_created_at, uri) VALUES ($1, $2, $3, $4);

-- folders_of: the folders of some jobs' indexes; only the jobs' own partition writes these rows, so no lock
SELECT DISTINCT folder_id FROM read_v1.index_jobs WHERE job_id = ANY ($1) ORDER BY folder_id;

-- drop_index_jobs: embedding jobs were erased
DELETE FROM read_v1.index_jobs WHERE job_id = ANY ($1);

-- candidates: the jobs whose index may be loaded for a folder, best first; none for a removed folder
SELECT i.job_id, i.job_created_at, i.uri FROM read_v1.index_jobs i
WHERE i.folder_id = $1
  AND NOT EXISTS (SELECT FROM read_v1.folders f WHERE f.folder_id = i.folder_id AND f.removed)
ORDER BY i.job_created_at DESC, i.job_id DESC;

-- loaded: the job whose index is loaded for a folder
SELECT job_id FROM read_v1.folder_indexes WHERE folder_id = $1;

-- drop_chunks: of some folders
DELETE FROM read_v1.chunks WHERE folder_id = ANY ($1);

-- drop_indexes: of some folders
DELETE FROM read_v1.folder_indexes WHERE folder_id = ANY ($1);

-- add_index: the index of a folder, whose chunks follow
INSERT INTO read_v1.folder_indexes (folder_id, job_id, job_created_at, model, dimensions, chunks)
VALUES ($1, $2, $3, $4, $5, $6);

-- removed: the removed ones of some documents
SELECT document_id FROM read_v1.documents WHERE document_id = ANY ($1) AND removed;

-- drop_documents: the chunks of removed documents
DELETE FROM read_v1.chunks WHERE document_id = ANY ($1);
