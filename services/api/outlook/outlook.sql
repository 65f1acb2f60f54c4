-- What is measured of the jobs of all owners. Owners are few: each is found by one step of an index.

-- completed: the newest completed jobs of a type, at most $2, of all owners
WITH RECURSIVE owners AS (
    (SELECT j.owner FROM read_v1.jobs j WHERE NOT j.erased ORDER BY j.owner LIMIT 1)
    UNION ALL
    SELECT (SELECT j.owner FROM read_v1.jobs j
            WHERE NOT j.erased AND j.owner > owners.owner ORDER BY j.owner LIMIT 1)
    FROM owners WHERE owners.owner IS NOT NULL
), newest AS (
    SELECT found.job_id, found.created_at
    FROM owners
    CROSS JOIN LATERAL (
        SELECT j.job_id, j.created_at
        FROM read_v1.jobs j
        WHERE j.owner = owners.owner AND j.job_type = $1 AND j.status = 'completed' AND NOT j.erased
        ORDER BY j.created_at DESC, j.job_id DESC
        LIMIT $2::int
    ) found
    WHERE owners.owner IS NOT NULL
    ORDER BY found.created_at DESC, found.job_id DESC
    LIMIT $2::int
)
SELECT extract(epoch FROM job.ended_at - job.started_at)::float8 AS seconds,
       job.pages, job.method, job.assets AS files
FROM newest
JOIN read_v1.jobs j USING (job_id)
CROSS JOIN LATERAL json_to_record(j.state)
    AS job (started_at timestamptz, ended_at timestamptz, pages int, method text, assets int, from_cache boolean)
WHERE job.started_at IS NOT NULL AND job.from_cache IS NOT TRUE;

-- waiting: how many jobs of each owner and of the types $1 wait
WITH RECURSIVE owners AS (
    (SELECT j.owner FROM read_v1.jobs j WHERE NOT j.erased ORDER BY j.owner LIMIT 1)
    UNION ALL
    SELECT (SELECT j.owner FROM read_v1.jobs j
            WHERE NOT j.erased AND j.owner > owners.owner ORDER BY j.owner LIMIT 1)
    FROM owners WHERE owners.owner IS NOT NULL
)
SELECT owners.owner, types.job_type, found.number, found.first, found.last
FROM owners
CROSS JOIN unnest($1::text[]) AS types (job_type)
CROSS JOIN LATERAL (
    SELECT count(*) AS number, min(j.created_at) AS first, max(j.created_at) AS last
    FROM read_v1.jobs j
    WHERE j.owner = owners.owner AND j.job_type = types.job_type AND j.status = 'pending' AND NOT j.erased
) found
WHERE owners.owner IS NOT NULL AND found.number > 0;

-- running: the states of the jobs of the types $1 that run, at most $2 of each owner and type
WITH RECURSIVE owners AS (
    (SELECT j.owner FROM read_v1.jobs j WHERE NOT j.erased ORDER BY j.owner LIMIT 1)
    UNION ALL
    SELECT (SELECT j.owner FROM read_v1.jobs j
            WHERE NOT j.erased AND j.owner > owners.owner ORDER BY j.owner LIMIT 1)
    FROM owners WHERE owners.owner IS NOT NULL
)
SELECT found.state
FROM owners
CROSS JOIN unnest($1::text[]) AS types (job_type)
CROSS JOIN LATERAL (
    SELECT j.state
    FROM read_v1.jobs j
    WHERE j.owner = owners.owner AND j.job_type = types.job_type AND j.status = 'processing' AND NOT j.erased
    ORDER BY j.created_at DESC, j.job_id DESC
    LIMIT $2::int
) found
WHERE owners.owner IS NOT NULL AND found.state IS NOT NULL;
