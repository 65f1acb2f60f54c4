"""The layout models in another process: what they cost, and what the plain path does without."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.files import layouts

PLAIN = """
import sys
from services.worker.pages import mupdf
with mupdf.open_pdf(sys.argv[1]) as document:
    mupdf.page_text(document, 1)
print(any(name in sys.modules for name in ("onnxruntime", "networkx")))
"""
STRUCTURE = """
import os, sys
from services.worker.layout import models
from services.worker.pages import mupdf
with mupdf.open_pdf(sys.argv[1]) as document:
    before = len(os.listdir("/proc/self/task"))
    found = [models.page_layout(document, number) for number in (1, 2)]
    print(all(page.regions for page in found), len(os.listdir("/proc/self/task")) - before)
"""


def printed(code: str, path: Path, home: Path) -> list[str]:
    given = {"HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code, str(path)]
    return subprocess.run(command, env=given, check=True, capture_output=True, text=True, timeout=120).stdout.split()


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return layouts.report(tmp_path / "in" / "a.pdf")


def test_the_plain_text_is_read_without_the_models(tmp_path: Path, report: Path) -> None:
    assert printed(PLAIN, report, tmp_path) == ["False"]


def test_the_models_run_in_one_thread_and_keep_no_telemetry(tmp_path: Path, report: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    found, threads = printed(STRUCTURE, report, home)
    assert found == "True"
    assert int(threads) <= 1  # of the runtime, which waits
    assert [path for path in home.rglob("*") if path.is_file()] == []
