-- Who may call the API. Holds no key, only its digest: whoever reads this table cannot call.
CREATE SCHEMA IF NOT EXISTS access;

-- `digest` is HMAC-SHA-256(pepper, key) in hex; `scopes` names what the key may do.
CREATE TABLE IF NOT EXISTS access.keys (
    digest     text PRIMARY KEY,
    key_id     text NOT NULL UNIQUE,
    owner      text NOT NULL,
    scopes     text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
