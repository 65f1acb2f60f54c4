-- Statements of both queues; `notifier.leased_rows` is replaced by the table of each.

-- due_receivers: receivers with something to send and in how many seconds: at most $3 of an owner, of the owners $1
-- those after the origins $2; by one index probe per owner and receiver
WITH RECURSIVE sender AS (
    (SELECT owner FROM notifier.leased_rows WHERE next_attempt_at IS NOT NULL ORDER BY owner LIMIT 1)
    UNION ALL
    SELECT following.owner FROM sender CROSS JOIN LATERAL (
        SELECT owner FROM notifier.leased_rows
        WHERE next_attempt_at IS NOT NULL AND owner > sender.owner ORDER BY owner LIMIT 1) AS following
)
SELECT found.owner, found.origin, extract(epoch FROM found.next_attempt_at - now())::float8 AS in_s
FROM sender LEFT JOIN unnest($1::text[], $2::text[]) AS given(owner, after) ON given.owner = sender.owner
CROSS JOIN LATERAL (
    WITH RECURSIVE receiver AS (
        (SELECT owner, origin, next_attempt_at, 1 AS place FROM notifier.leased_rows
         WHERE next_attempt_at IS NOT NULL AND owner = sender.owner AND origin > coalesce(given.after, '')
         ORDER BY origin, next_attempt_at LIMIT 1)
        UNION ALL
        SELECT following.*, receiver.place + 1 FROM receiver CROSS JOIN LATERAL (
            SELECT owner, origin, next_attempt_at FROM notifier.leased_rows
            WHERE next_attempt_at IS NOT NULL AND owner = receiver.owner AND origin > receiver.origin
            ORDER BY origin, next_attempt_at LIMIT 1) AS following
        WHERE receiver.place < $3
    )
    SELECT owner, origin, next_attempt_at FROM receiver) AS found
ORDER BY found.owner, found.origin;

-- release: ends the leases of a killed process of this name
UPDATE notifier.leased_rows SET leased_until = '-infinity'
WHERE next_attempt_at IS NOT NULL AND leased_by = $1 AND leased_until > now();

-- backlog: the number of due rows and the age of the oldest in seconds
SELECT count(*) AS due, coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0)::float8 AS oldest_s
FROM notifier.leased_rows WHERE next_attempt_at <= now();
