-- What an owner uses. Counted now and then, not for each request (services.api.quotas.counted).

-- open_jobs: its jobs that have not ended, counted up to $2
SELECT count(*) FROM (
    SELECT FROM read_v1.jobs WHERE owner = $1 AND status IN ('pending', 'processing') AND NOT erased LIMIT $2
) AS open;

-- document_bytes: the size of its documents
SELECT coalesce(sum(size), 0)::bigint FROM read_v1.documents WHERE owner = $1 AND NOT removed;
