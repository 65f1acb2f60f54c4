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

-- When each key's admitted requests under /v1 came in the last minute, the oldest first, and what became of its last
-- request. Unlogged: it is written at every request, and after a crash a minute's forgiveness does no harm.
CREATE UNLOGGED TABLE IF NOT EXISTS access.hits (
    key_id   text PRIMARY KEY,
    times    timestamptz[] NOT NULL,
    asked_at timestamptz NOT NULL,
    admitted boolean NOT NULL
) WITH (fillfactor = 50);


-- What signs each owner's webhooks (piperoll.webhooks.signing_keys): secret and private key sealed, as tokens are. The newest
-- key of an owner has no `active_until`; one that was rotated away signs until then.
CREATE TABLE IF NOT EXISTS access.signing_keys (
    key_id       text PRIMARY KEY,
    owner        text NOT NULL,
    secret       text NOT NULL,
    private_key  text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    active_until timestamptz
);
CREATE INDEX IF NOT EXISTS signing_keys_owner ON access.signing_keys (owner);
CREATE UNIQUE INDEX IF NOT EXISTS signing_keys_current ON access.signing_keys (owner) WHERE active_until IS NULL;
