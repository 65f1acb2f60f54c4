-- lock_owner: serialises the creation of an owner's keys until the end of the transaction
SELECT pg_advisory_xact_lock(hashtextextended('access.signing_keys/' || $1, 0));

-- active: the active keys of an owner, the newest first
SELECT key_id, secret, private_key, active_until FROM access.signing_keys
WHERE owner = $1 AND (active_until IS NULL OR active_until > clock_timestamp())
ORDER BY created_at DESC;

-- add: a key without an end
INSERT INTO access.signing_keys (key_id, owner, secret, private_key) VALUES ($1, $2, $3, $4);

-- end_current: sets the end of the key without an end, in $2 seconds
UPDATE access.signing_keys SET active_until = clock_timestamp() + make_interval(secs => $2)
WHERE owner = $1 AND active_until IS NULL;

-- remove: deletes the given keys of an owner and those whose end has passed
DELETE FROM access.signing_keys
WHERE owner = $1 AND (key_id = ANY($2::text[]) OR active_until <= clock_timestamp());

-- announce: names an owner whose keys changed to those who remember them, when the transaction commits
SELECT pg_notify($1, $2);
