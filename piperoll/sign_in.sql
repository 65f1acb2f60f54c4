-- begin: adds a session of the key $2 for at most $3 seconds, and not beyond the end of the key
INSERT INTO access.sessions (digest, key_digest, ends_at)
VALUES ($1, $2, least(now() + $3 * interval '1 second', (SELECT expires_at FROM access.keys WHERE digest = $2)))
RETURNING ends_at;

-- redeem: ends a nonce, and begins a session ($2, for $3 seconds) of its key if that is valid or one of $4
WITH taken AS (
    DELETE FROM access.nonces WHERE digest = $1 RETURNING key_digest, expires_at
), holder AS (
    SELECT taken.key_digest, key_id, owner, scopes, key.expires_at AS key_ends_at
    FROM taken
    LEFT JOIN access.keys AS key ON key.digest = taken.key_digest
        AND key.revoked_at IS NULL AND (key.expires_at IS NULL OR key.expires_at > now())
    WHERE taken.expires_at > now() AND (key.digest IS NOT NULL OR taken.key_digest = ANY ($4::text[]))
), begun AS (
    INSERT INTO access.sessions (digest, key_digest, ends_at)
    SELECT $2, key_digest, least(now() + $3 * interval '1 second', key_ends_at) FROM holder
    RETURNING ends_at
)
SELECT key_digest, key_id, owner, scopes, ends_at FROM holder, begun;

-- find: the session of a digest, with its key if that is in the table
-- There is no row for a key of the table that has ended. A key that is not in the table is in the settings, or was.
SELECT session.key_digest, key_id, owner, scopes, ends_at
FROM access.sessions AS session
LEFT JOIN access.keys AS key ON key.digest = session.key_digest
WHERE session.digest = $1 AND ends_at > now()
    AND key.revoked_at IS NULL AND (key.expires_at IS NULL OR key.expires_at > now());

-- end: ends a session, and lets every process look up the sessions of its key ($2) again
WITH ended AS (DELETE FROM access.sessions WHERE digest = $1)
SELECT pg_notify('piperoll_keys', $2);

-- offer: adds a nonce of the key $2 for $3 seconds
INSERT INTO access.nonces (digest, key_digest, expires_at)
VALUES ($1, $2, now() + $3 * interval '1 second')
RETURNING expires_at;

-- tidy_sessions: removes ended sessions, and those of the key $1 beyond its newest $2
DELETE FROM access.sessions WHERE digest IN (
    SELECT digest FROM access.sessions WHERE ends_at <= now() OR digest IN (
        SELECT digest FROM access.sessions WHERE key_digest = $1 ORDER BY begun_at DESC OFFSET $2
    )
    FOR UPDATE SKIP LOCKED
);

-- tidy_nonces: the same for nonces
DELETE FROM access.nonces WHERE digest IN (
    SELECT digest FROM access.nonces WHERE expires_at <= now() OR digest IN (
        SELECT digest FROM access.nonces WHERE key_digest = $1 ORDER BY made_at DESC OFFSET $2
    )
    FOR UPDATE SKIP LOCKED
);
