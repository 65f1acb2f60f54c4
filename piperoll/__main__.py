"""`python -m piperoll`: the same as the `piperoll` command."""

from piperoll.cli.main import app

app(prog_name="piperoll")
