"""The command line `piperoll`, each command a process of its own."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """The exit status of a command and what it printed."""

    code: int
    out: str
    err: str


async def piperoll(*arguments: str, folder: Path | None, to: str = "", **variables: str) -> Ended:
    """Runs a command about the stack in `folder`, or about the one that `variables` name, to its end.

    Its output is returned, unless it goes `to` a file.
    """
    named = ["--data-dir", str(folder)] if folder else []
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PIPEROLL_")}
    written = os.open(to, os.O_WRONLY) if to else asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "piperoll", *arguments, *named),
        env={**bare, **variables},
        stdout=written,
        stderr=asyncio.subprocess.PIPE,
    )
    if to:
        os.close(written)
    out, err = await process.communicate()
    return Ended(process.returncode or 0, (out or b"").decode(), err.decode())
