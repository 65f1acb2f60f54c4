"""What a shell completes, as the shell asks for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def completed(line: str, home: Path) -> list[str]:
    """What bash offers at the end of a line."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PIPEROLL_")}
    asked = {"_PIPEROLL_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    ran = subprocess.run(
        [sys.executable, "-c", "from piperoll.cli.main import app; app(prog_name='piperoll')"],
        env={**bare, "HOME": str(home), **asked},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    return ran.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("piperoll lo", {"logs"}),
        ("piperoll submit --type trans", {"transcription", "transformer", "transformer_template"}),
        ("piperoll submit --method tess", {"tesseract_ocr"}),
        ("piperoll jobs --status pro", {"processing"}),
        ("piperoll submit --format m", {"markdown"}),
        ("piperoll show job-", set()),
    ],
)
def test_names_are_completed_and_without_a_server_no_ids(line: str, offered: set[str], tmp_path: Path) -> None:
    assert set(completed(line, tmp_path)) == offered
