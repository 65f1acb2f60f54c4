-- The projector's statements about registered endpoints. Each one's facts are in one partition.

-- load: the stored states of some endpoints
SELECT endpoint_id, state, url FROM read_v1.endpoints WHERE endpoint_id = ANY ($1);

-- upsert_endpoints: rows of folded endpoints
INSERT INTO read_v1.endpoints (endpoint_id, partition, owner, user_id, url, statuses, removed, created_at, state)
SELECT endpoint_id, partition, owner, user_id, url, string_to_array(statuses, ','), removed, created_at, state
FROM unnest(
    $1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::timestamptz[],
    $9::json[]
) AS given (endpoint_id, partition, owner, user_id, url, statuses, removed, created_at, state)
ON CONFLICT (endpoint_id) DO UPDATE SET
    user_id  = EXCLUDED.user_id,
    url      = EXCLUDED.url,
    statuses = EXCLUDED.statuses,
    removed  = EXCLUDED.removed,
    state    = EXCLUDED.state;
