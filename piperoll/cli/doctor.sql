-- What `piperoll doctor` asks Postgres.

-- vectors: which version of pgvector this database has, or could have; no row where the server lacks it
SELECT coalesce(installed_version, default_version) AS version FROM pg_available_extensions WHERE name = 'vector';
