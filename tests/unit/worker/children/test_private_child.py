"""A child keeps its memory private before it forks sandboxes and reads its settings."""

import subprocess
import sys

CHILD = """
import ctypes, os, sys
from services.worker.children import main
from services.worker.run.page_care import PageNote

def report():
    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE
    raise SystemExit(0)

main.processors.load_all = report
sys.argv[1:] = ["0", str(os.getppid()), str(PageNote().descriptor)]
main.main()
"""


def test_no_process_of_the_account_reads_or_writes_the_memory_of_a_child() -> None:
    ended = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.returncode) == ("0\n", 0), ended.stderr
