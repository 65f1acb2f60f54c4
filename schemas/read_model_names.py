"""Names that the projector writes and the API reads."""

READ_SCHEMA = "read_v1"
"""The Postgres schema of the current read model."""

POSITIONS_CHANNEL = "piperoll_read_v1"
"""NOTIFY channel; the payload is `topic alias:partition:next_offset`, such as `jobs:3:1207`."""
