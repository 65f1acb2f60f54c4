-- API keys. Stores only digests of the keys, so that the table does not give access.
CREATE SCHEMA IF NOT EXISTS access;

-- `digest` is HMAC-SHA-256(pepper, key) in hex.
CREATE TABLE IF NOT EXISTS access.keys (
    digest     text PRIMARY KEY,
    key_id     text NOT NULL UNIQUE,
    owner      text NOT NULL,
    scopes     text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

-- Sessions of the page and one-time links to one (piperoll.sign_in), each of a key: of one in `access.keys`, or of one
-- in the settings. `digest` and `key_digest` are HMAC-SHA-256(pepper, token) in hex.
CREATE TABLE IF NOT EXISTS access.sessions (
    digest     text PRIMARY KEY,
    key_digest text NOT NULL,
    begun_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at    timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_key ON access.sessions (key_digest, begun_at DESC);
CREATE INDEX IF NOT EXISTS sessions_end ON access.sessions (ends_at);

CREATE TABLE IF NOT EXISTS access.nonces (
    digest     text PRIMARY KEY,
    key_digest text NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS nonces_key ON access.nonces (key_digest, made_at DESC);

-- Changes of keys whose facts are not in the log yet, written with the change (piperoll.keys.relay_changes).
CREATE TABLE IF NOT EXISTS access.unsent_changes (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id   text NOT NULL,
    owner    text NOT NULL,
    body     jsonb NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The times of each key's admitted requests under /v1 in the last minute, the oldest first, and whether the last
-- request was admitted. Unlogged, since it is written at every request; a crash only resets the count.
CREATE UNLOGGED TABLE IF NOT EXISTS access.hits (
    key_id   text PRIMARY KEY,
    times    timestamptz[] NOT NULL,
    asked_at timestamptz NOT NULL,
    admitted boolean NOT NULL
) WITH (fillfactor = 50);


-- The signing keys of owners (piperoll.webhooks.signing_keys), with sealed secret and private key. The newest key of an
-- owner has no `active_until`; a rotated key signs until then.
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
