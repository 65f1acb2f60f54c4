-- Queries of documents, folders and their search. Each statement is one snapshot.

-- document: a document with the id and status of its newest job of some types
SELECT d.document_id, d.owner, d.name, d.media_type, d.size, d.removed, d.created_at, d.updated_at,
       d.state -> 'content' AS content, j.job_id, j.status
FROM read_v1.documents d
LEFT JOIN LATERAL (
    SELECT j.job_id, j.status FROM read_v1.jobs j
    WHERE j.owner = d.owner AND j.target_id = d.document_id AND j.job_type = ANY ($2) AND NOT j.erased
    ORDER BY j.created_at DESC, j.job_id DESC LIMIT 1
) j ON true
WHERE d.document_id = $1;

-- list_documents: a page of an owner's documents, newest first, each with the status of its newest job of some types
SELECT d.document_id, d.name, d.media_type, d.size, d.created_at, j.status
FROM read_v1.documents d
LEFT JOIN LATERAL (
    SELECT j.status FROM read_v1.jobs j
    WHERE j.owner = d.owner AND j.target_id = d.document_id AND j.job_type = ANY ($2) AND NOT j.erased
    ORDER BY j.created_at DESC, j.job_id DESC LIMIT 1
) j ON true
WHERE d.owner = $1 AND NOT d.removed
ORDER BY d.created_at DESC, d.document_id DESC
LIMIT $3 OFFSET $4;

-- text_of_document: the result of the newest completed job of some types about a document
SELECT j.state -> 'result' AS result
FROM read_v1.jobs j
WHERE j.owner = $1 AND j.target_id = $2 AND j.job_type = ANY ($3) AND j.status = 'completed' AND NOT j.erased
ORDER BY j.created_at DESC, j.job_id DESC LIMIT 1;

-- found_documents: those of some documents that an owner has
SELECT d.document_id FROM read_v1.documents d
WHERE d.owner = $1 AND d.document_id = ANY ($2) AND NOT d.removed;

-- folder: a folder with the number of words in its documents
SELECT f.folder_id, f.owner, f.name, f.description, f.chunk_size, f.removed, f.created_at, f.updated_at, w.words
FROM read_v1.folders f
CROSS JOIN LATERAL (
    SELECT coalesce(sum((t.state -> 'counts' ->> 'words')::bigint), 0)::bigint AS words
    FROM read_v1.folder_members m
    JOIN read_v1.documents d ON d.document_id = m.document_id AND d.owner = f.owner AND NOT d.removed
    CROSS JOIN LATERAL (
        SELECT j.state FROM read_v1.jobs j
        WHERE j.owner = d.owner AND j.target_id = d.document_id AND j.job_type = ANY ($2)
          AND j.status = 'completed' AND NOT j.erased
        ORDER BY j.created_at DESC, j.job_id DESC LIMIT 1
    ) t
    WHERE m.folder_id = f.folder_id
) w
WHERE f.folder_id = $1;

-- list_folders: a page of an owner's folders, newest first, each with the number of words in its documents
SELECT f.folder_id, f.owner, f.name, f.description, f.chunk_size, f.removed, f.created_at, f.updated_at, w.words
FROM read_v1.folders f
CROSS JOIN LATERAL (
    SELECT coalesce(sum((t.state -> 'counts' ->> 'words')::bigint), 0)::bigint AS words
    FROM read_v1.folder_members m
    JOIN read_v1.documents d ON d.document_id = m.document_id AND d.owner = f.owner AND NOT d.removed
    CROSS JOIN LATERAL (
        SELECT j.state FROM read_v1.jobs j
        WHERE j.owner = d.owner AND j.target_id = d.document_id AND j.job_type = ANY ($2)
          AND j.status = 'completed' AND NOT j.erased
        ORDER BY j.created_at DESC, j.job_id DESC LIMIT 1
    ) t
    WHERE m.folder_id = f.folder_id
) w
WHERE f.owner = $1 AND NOT f.removed
ORDER BY f.created_at DESC, f.folder_id DESC
LIMIT $3 OFFSET $4;

-- files: a page of a folder's documents, in the order in which they were added, each with the status of its newest job of
-- some types
SELECT d.document_id, d.name, d.media_type, d.size, d.created_at, j.status
FROM read_v1.folder_members m
JOIN read_v1.documents d ON d.document_id = m.document_id AND d.owner = $2 AND NOT d.removed
LEFT JOIN LATERAL (
    SELECT j.status FROM read_v1.jobs j
    WHERE j.owner = d.owner AND j.target_id = d.document_id AND j.job_type = ANY ($3) AND NOT j.erased
    ORDER BY j.created_at DESC, j.job_id DESC LIMIT 1
) j ON true
WHERE m.folder_id = $1
ORDER BY m.added_at, d.document_id
LIMIT $4 OFFSET $5;

-- member: whether a document is in a folder
SELECT 1 FROM read_v1.folder_members m
JOIN read_v1.documents d ON d.document_id = m.document_id AND NOT d.removed
WHERE m.folder_id = $1 AND m.document_id = $2;

-- folder_texts: a folder's documents with the results that hold their texts, and the statuses of their newest jobs
SELECT d.document_id, d.name, t.result, n.status
FROM read_v1.folder_members m
JOIN read_v1.documents d ON d.document_id = m.document_id AND d.owner = $2 AND NOT d.removed
LEFT JOIN LATERAL (
    SELECT j.state -> 'result' AS result FROM read_v1.jobs j
    WHERE j.owner = d.owner AND j.target_id = d.document_id AND j.job_type = ANY ($3)
      AND j.status = 'completed' AND NOT j.erased
    ORDER BY j.created_at DESC, j.job_id DESC LIMIT 1
) t ON true
LEFT JOIN LATERAL (
    SELECT j.status FROM read_v1.jobs j
    WHERE j.owner = d.owner AND j.target_id = d.document_id AND j.job_type = ANY ($3) AND NOT j.erased
    ORDER BY j.created_at DESC, j.job_id DESC LIMIT 1
) n ON true
WHERE m.folder_id = $1
ORDER BY m.added_at, d.document_id;

-- folder_sources: a folder's documents that jobs found, and the jobs that made their texts; for the erasure of these
-- jobs the claims of parameters in segments, which only a claim leads to
SELECT d.document_id, d.source, d.revision,
       ARRAY (
           SELECT j.job_id FROM read_v1.jobs j
           WHERE j.owner = d.owner AND j.target_id = d.document_id AND j.job_type = ANY ($3) AND NOT j.erased
       ) AS jobs,
       (
           SELECT json_object_agg(j.job_id, j.state -> 'parameters') FROM read_v1.jobs j
           WHERE j.owner = d.owner AND j.target_id = d.document_id AND j.job_type = ANY ($3) AND NOT j.erased
             AND j.state -> 'parameters' ->> 'uri' LIKE 'segments/%'
       ) AS parameters
FROM read_v1.folder_members m
JOIN read_v1.documents d ON d.document_id = m.document_id AND d.owner = $2 AND NOT d.removed
WHERE m.folder_id = $1 AND d.source IS NOT NULL AND d.revision IS NOT NULL
ORDER BY d.document_id;

-- jobs_about: an owner's jobs whose target_id is a document or folder; null: of any type
SELECT j.job_id, j.state -> 'parameters' AS parameters FROM read_v1.jobs j
WHERE j.owner = $1 AND j.target_id = $2 AND ($3::text[] IS NULL OR j.job_type = ANY ($3)) AND NOT j.erased;

-- newest_of_target: the newest job of some types by its target: its target_id, else its batch, else itself
SELECT j.job_id, j.status, j.created_at FROM read_v1.jobs j
WHERE j.owner = $1 AND j.target_id = $2 AND j.job_type = ANY ($3) AND NOT j.erased
UNION ALL
SELECT j.job_id, j.status, j.created_at FROM read_v1.jobs j
WHERE j.batch_id = $2 AND j.target_id IS NULL AND j.owner = $1 AND j.job_type = ANY ($3) AND NOT j.erased
UNION ALL
SELECT j.job_id, j.status, j.created_at FROM read_v1.jobs j
WHERE j.job_id = $2 AND j.target_id IS NULL AND j.batch_id IS NULL AND j.owner = $1 AND j.job_type = ANY ($3)
  AND NOT j.erased
ORDER BY created_at DESC, job_id DESC
LIMIT 1;

-- index: the index that a folder's search reads, with the model that made it
SELECT i.job_id, i.model, i.dimensions, i.chunks FROM read_v1.folder_indexes i WHERE i.folder_id = $1;

-- search: the chunks of a folder's index nearest to a vector, of documents that are still in the folder; each with the
-- name of its document and the newest completed job of some types about it
SELECT c.document_id, c.number, c.text,
       1 - (c.embedding OPERATOR (public.<=>) $3::text::public.vector) AS score, d.name,
       (
           SELECT j.job_id FROM read_v1.jobs j
           WHERE j.owner = d.owner AND j.target_id = d.document_id AND j.job_type = ANY ($6)
             AND j.status = 'completed' AND NOT j.erased
           ORDER BY j.created_at DESC, j.job_id DESC LIMIT 1
       ) AS job_id
FROM read_v1.chunks c
JOIN read_v1.folder_indexes i ON i.folder_id = c.folder_id AND i.job_id = c.job_id AND i.model = $2
JOIN read_v1.folder_members m ON m.folder_id = c.folder_id AND m.document_id = c.document_id
JOIN read_v1.documents d ON d.document_id = c.document_id AND d.owner = $5 AND NOT d.removed
WHERE c.folder_id = $1
ORDER BY c.embedding OPERATOR (public.<=>) $3::text::public.vector, c.position
LIMIT $4;
