-- Queries of `piperoll doctor`.

-- vectors: the installed or available version of pgvector; no row when it is not available
SELECT coalesce(installed_version, default_version) AS version FROM pg_available_extensions WHERE name = 'vector';
