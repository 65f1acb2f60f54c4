-- Queries of registered endpoints. Each statement is one snapshot.

-- endpoint: the owner of an endpoint that was not removed
SELECT owner FROM read_v1.endpoints WHERE endpoint_id = $1 AND NOT removed;

-- registration: an endpoint as it was registered, also if it was removed since
SELECT state, statuses, created_at FROM read_v1.endpoints WHERE endpoint_id = $1;

-- list_endpoints: an owner's endpoints, newest first
SELECT endpoint_id, url, statuses, created_at FROM read_v1.endpoints
WHERE owner = $1 AND NOT removed
ORDER BY created_at DESC, endpoint_id DESC;

-- count_endpoints: the number of an owner's endpoints
SELECT count(*) AS endpoints FROM read_v1.endpoints WHERE owner = $1 AND NOT removed;
