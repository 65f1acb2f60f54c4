-- What a server knows of its sessions and of the time. Loaded by name (piperoll.postgres.load_queries).

-- holders: the sessions whose transactions write to a table or lock rows of it, the oldest three
SELECT format('%s (pid %s at %s, %s, transaction of %s s)', coalesce(nullif(a.application_name, ''), 'unnamed'), a.pid,
              coalesce(host(a.client_addr) || ':' || a.client_port, 'local'), a.state,
              round(extract(epoch FROM clock_timestamp() - a.xact_start))) AS holder
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.relation = to_regclass($1) AND l.granted AND l.mode <> 'AccessShareLock' AND pid <> pg_backend_pid()
ORDER BY a.xact_start LIMIT 3;

-- time: the server's clock
SELECT clock_timestamp();

-- started: when the server started
SELECT pg_postmaster_start_time();
