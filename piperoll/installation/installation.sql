-- The installation that the tables of a schema belong to. {schema} is replaced by its name (piperoll.installation.tables).

-- create: one row, or none as in tables of an earlier release
CREATE TABLE IF NOT EXISTS {schema}.installation (
    id     text NOT NULL,
    single boolean PRIMARY KEY DEFAULT true CHECK (single)
);

-- exists: whether the schema has the table
SELECT to_regclass('{schema}.installation') IS NOT NULL;

-- read: the id of the installation
SELECT id FROM {schema}.installation;

-- claim: for tables without an id, unless they were filled from another cluster than $2
INSERT INTO {schema}.installation (id)
SELECT $1 WHERE NOT EXISTS (SELECT FROM {schema}.checkpoints WHERE cluster_id <> $2)
ON CONFLICT (single) DO NOTHING;

-- replace: after a move on purpose
INSERT INTO {schema}.installation (id) VALUES ($1) ON CONFLICT (single) DO UPDATE SET id = EXCLUDED.id;

-- has_positions: whether the schema has tables that are filled from the log
SELECT to_regclass('{schema}.checkpoints') IS NOT NULL;

-- positions: how far the tables are filled
SELECT topic, partition, next_offset, cluster_id, last_ce_id FROM {schema}.checkpoints;

-- drop: all tables of a schema
DROP SCHEMA {schema} CASCADE;
