"""What a child does before it imports anything, forks sandboxes and reads its settings."""

import subprocess
import sys

CHILD = """
import ctypes, os, sys
from services.worker.children import main
from services.worker.run.page_care import PageNote

def report():
    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), main.OOM_SCORE.read_text().strip())  # PR_GET_DUMPABLE
    raise SystemExit(0)

main.processors.load_all = report
sys.argv[1:] = ["0", str(os.getppid()), str(PageNote().descriptor)]
main.main()
"""


def test_a_child_is_private_and_the_first_that_ends_when_memory_runs_out() -> None:
    ended = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.returncode) == ("0 1000\n", 0), ended.stderr
