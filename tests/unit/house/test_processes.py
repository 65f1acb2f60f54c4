"""The two processes of `make test` do what the groups of tests ask of them."""

import subprocess
import sys
from pathlib import Path

MODULE = """
import pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(5))
def test_which_process(number, worker_id):
    print(f"in {worker_id}", end=";")
"""


def test_the_tests_of_a_group_run_in_one_process(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / f"test_{name}.py").write_text(MODULE)
    options = ["-n", "2", "--dist", "loadgroup", "-rP", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    ran = [process for process in ("gw0", "gw1") if f"in {process};" in done.stdout]
    assert len(ran) == 1, done.stdout
