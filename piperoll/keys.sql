-- Times of facts are written in UTC: in the time zone of the session, the end of the year 9999 may be in the next one,
-- which no reader parses.

-- create: adds a key
WITH made AS (
    INSERT INTO access.keys (digest, key_id, owner, scopes, expires_at)
    VALUES ($1, $2, $3, $4, $5)
    RETURNING key_id, owner, scopes, created_at, expires_at, revoked_at
), noted AS (
    INSERT INTO access.unsent_changes (key_id, owner, body)
    SELECT key_id, owner, jsonb_build_object('action', 'created', 'by', $6::text, 'scopes', scopes,
        'ends_at', to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    FROM made
)
SELECT * FROM made;

-- find: the valid key of a digest
SELECT key_id, owner, scopes, created_at, expires_at, revoked_at
FROM access.keys
WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());

-- rotate: adds a key with the owner, scopes and expiry of a valid one, which ends after an overlap
WITH rotated AS (
    UPDATE access.keys SET expires_at = least(expires_at, now() + $4 * interval '1 second')
    WHERE key_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
    RETURNING owner, scopes, old.expires_at AS before, new.expires_at AS ends_at
), made AS (
    INSERT INTO access.keys (digest, key_id, owner, scopes, expires_at)
    SELECT $2, $3, owner, scopes, before FROM rotated
    RETURNING key_id, owner, scopes, created_at, expires_at, revoked_at
), noted AS (
    INSERT INTO access.unsent_changes (key_id, owner, body)
    SELECT $1, made.owner, jsonb_build_object('action', 'rotated', 'by', $5::text, 'scopes', made.scopes,
        'ends_at', to_char(rotated.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'replaced_by', made.key_id)
    FROM made, rotated
)
SELECT made.*, rotated.ends_at, pg_notify('piperoll_keys', $1) FROM made, rotated;

-- exists: whether a key exists, valid or not
SELECT EXISTS (SELECT FROM access.keys WHERE key_id = $1);

-- list_all: all keys, the newest first
SELECT key_id, owner, scopes, created_at, expires_at, revoked_at
FROM access.keys
ORDER BY created_at DESC, key_id;

-- revoke: revokes a key; a repeat keeps the first time
WITH ended AS (
    UPDATE access.keys SET revoked_at = coalesce(revoked_at, now())
    WHERE key_id = $1
    RETURNING key_id, owner, scopes, created_at, expires_at, revoked_at, old.revoked_at AS before
), noted AS (
    INSERT INTO access.unsent_changes (key_id, owner, body)
    SELECT key_id, owner, jsonb_build_object('action', 'revoked', 'by', $2::text, 'scopes', scopes,
        'ends_at', to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    FROM ended WHERE before IS NULL
)
SELECT ended.*, pg_notify('piperoll_keys', key_id) FROM ended;

-- take_changes: removes the oldest changes whose facts are not in the log yet, unless another process has them
DELETE FROM access.unsent_changes
WHERE id IN (SELECT id FROM access.unsent_changes ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED)
RETURNING id, key_id, owner, body, noted_at;

-- check_line: whether the connection still answers
SELECT true;
