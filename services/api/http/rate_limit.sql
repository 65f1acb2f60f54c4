-- admit: counts a request of a key ($1) if fewer than $2 were counted in the last $3 seconds
-- The subselect runs under the lock on the key's row and reads the clock there ($4, by default the database's), so that
-- all processes of the API share one count, in the order of their times. A refused request is not counted.
INSERT INTO access.hits AS hit (key_id, times, asked_at, admitted)
SELECT $1::text, ARRAY[clock.now], clock.now, true
FROM (SELECT coalesce($4::timestamptz, clock_timestamp()) AS now) AS clock
ON CONFLICT (key_id) DO UPDATE SET (times, asked_at, admitted) = (
    SELECT CASE WHEN cardinality(recent.times) < $2::int THEN recent.times || recent.now ELSE recent.times END,
           recent.now, cardinality(recent.times) < $2::int
    FROM (
        SELECT clock.now, ARRAY(
            SELECT one FROM unnest(hit.times) AS one
            WHERE one > clock.now - $3::float8 * interval '1 second' AND one <= clock.now ORDER BY one
        ) AS times
        FROM (SELECT coalesce($4::timestamptz, clock_timestamp()) AS now) AS clock
    ) AS recent
)
RETURNING admitted, cardinality(times) AS used, $3::float8
    + extract(epoch FROM times[greatest(1, cardinality(times) - $2::int + 1)] - asked_at)::float8 AS frees_s;
