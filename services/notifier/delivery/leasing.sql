-- Statements of both queues; `notifier.leased_rows` is replaced by the table of each.

-- due_origins: each receiver with something to send and in how many seconds, by one index probe per receiver
WITH RECURSIVE receiver AS (
    (SELECT origin, next_attempt_at FROM notifier.leased_rows WHERE next_attempt_at IS NOT NULL
     ORDER BY origin, next_attempt_at LIMIT 1)
    UNION ALL
    SELECT following.* FROM receiver CROSS JOIN LATERAL (
        SELECT origin, next_attempt_at FROM notifier.leased_rows
        WHERE next_attempt_at IS NOT NULL AND origin > receiver.origin
        ORDER BY origin, next_attempt_at LIMIT 1) AS following
)
SELECT origin, extract(epoch FROM next_attempt_at - now())::float8 AS in_s FROM receiver;

-- release: ends the leases of a killed process of this name
UPDATE notifier.leased_rows SET leased_until = '-infinity'
WHERE next_attempt_at IS NOT NULL AND leased_by = $1 AND leased_until > now();

-- backlog: the number of due rows and the age of the oldest in seconds
SELECT count(*) AS due, coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0)::float8 AS oldest_s
FROM notifier.leased_rows WHERE next_attempt_at <= now();
