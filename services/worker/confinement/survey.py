"""What confines a sandbox on this machine: `python -m services.worker.confinement.survey` prints it as JSON.

A separate process, since a confinement cannot be taken back.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from services.worker.confinement.confine import Measure, Reach, confine

MEASURES: Final = TypeAdapter(tuple[Measure, ...])
TIMEOUT_S: Final = 30.0


def measured() -> tuple[Measure, ...]:
    """Confine another process and return its measures. Raises OSError, subprocess.SubprocessError."""
    command = [sys.executable, "-m", __spec__.name]
    ended = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=True)
    return MEASURES.validate_json(ended.stdout)


def main() -> None:
    """Confine this process and print what holds."""
    with tempfile.TemporaryDirectory() as folder:
        process = os.fork()
        if process == 0:
            measures = confine(Reach((), (Path(folder),), network=False), os.getppid())
            os.write(sys.stdout.fileno(), MEASURES.dump_json(tuple(measures)))
            os._exit(0)
        _, status = os.waitpid(process, 0)  # its folder is removed by this process, which may
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
