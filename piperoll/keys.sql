-- create: adds a key by its digest
INSERT INTO access.keys (digest, key_id, owner, scopes, expires_at)
VALUES ($1, $2, $3, $4, $5)
RETURNING key_id, owner, scopes, created_at, expires_at, revoked_at;

-- find: the key of a digest, if it is still good
SELECT key_id, owner, scopes, created_at, expires_at, revoked_at
FROM access.keys
WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());

-- list_all: every key there ever was, the newest first
SELECT key_id, owner, scopes, created_at, expires_at, revoked_at
FROM access.keys
ORDER BY created_at DESC, key_id;

-- revoke: ends a key; once revoked, its first time stays
UPDATE access.keys SET revoked_at = coalesce(revoked_at, now())
WHERE key_id = $1
RETURNING key_id, owner, scopes, created_at, expires_at, revoked_at;
