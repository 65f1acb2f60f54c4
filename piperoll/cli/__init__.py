"""The `piperoll` command."""
