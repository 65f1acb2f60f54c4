-- The projector's statements about documents and folders. Each key's facts are in one partition, so no other projector
-- writes these rows.

-- load: the stored states of some keys, in one round trip; `hint` is the second text of their details
SELECT 'document' AS kind, document_id AS key, state, name, source AS hint
FROM read_v1.documents WHERE document_id = ANY ($1)
UNION ALL
SELECT 'folder', folder_id, state, name, description FROM read_v1.folders WHERE folder_id = ANY ($1);

-- upsert_documents: rows of folded documents
INSERT INTO read_v1.documents (
    document_id, partition, owner, user_id, name, source, media_type, size,
    revision, removed, job_id, created_at, updated_at, state
)
SELECT * FROM unnest(
    $1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
    $9::text[], $10::boolean[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::json[]
)
ON CONFLICT (document_id) DO UPDATE SET
    user_id    = EXCLUDED.user_id,
    name       = EXCLUDED.name,
    source     = EXCLUDED.source,
    media_type = EXCLUDED.media_type,
    size       = EXCLUDED.size,
    revision   = EXCLUDED.revision,
    removed    = EXCLUDED.removed,
    job_id     = EXCLUDED.job_id,
    updated_at = EXCLUDED.updated_at,
    state      = EXCLUDED.state;

-- upsert_folders: rows of folded folders
INSERT INTO read_v1.folders (
    folder_id, partition, owner, user_id, name, description, chunk_size, removed, created_at, updated_at, state
)
SELECT * FROM unnest(
    $1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::boolean[],
    $9::timestamptz[], $10::timestamptz[], $11::json[]
)
ON CONFLICT (folder_id) DO UPDATE SET
    user_id     = EXCLUDED.user_id,
    name        = EXCLUDED.name,
    description = EXCLUDED.description,
    chunk_size  = EXCLUDED.chunk_size,
    removed     = EXCLUDED.removed,
    updated_at  = EXCLUDED.updated_at,
    state       = EXCLUDED.state;

-- leave: documents that were removed from folders, even if added again
DELETE FROM read_v1.folder_members m
USING unnest($1::text[], $2::text[]) AS gone (folder_id, document_id)
WHERE m.folder_id = gone.folder_id AND m.document_id = gone.document_id;

-- enter: documents that were added to folders; one that is already in keeps its time
INSERT INTO read_v1.folder_members (folder_id, document_id, added_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
ON CONFLICT (folder_id, document_id) DO NOTHING;

-- clear: removed folders have no members
DELETE FROM read_v1.folder_members WHERE folder_id = ANY ($1);
