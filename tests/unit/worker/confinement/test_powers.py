"""A sandbox of root without an account of its own has the rights over files alone, also in programs that it starts."""

import os
import subprocess
import sys

import pytest

SANDBOX = """
import subprocess
from services.worker.confinement import account
from services.worker.confinement.kernel import PR_SET_NO_NEW_PRIVS, architecture, prctl

prctl(PR_SET_NO_NEW_PRIVS, 1)
account.drop_powers(architecture())
for status in (open("/proc/self/status").read(), subprocess.check_output(["cat", "/proc/self/status"], text=True)):
    print(*(line.split()[1] for line in status.splitlines() if line.startswith(("CapPrm", "CapEff"))))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="the worker is not root")
def test_root_without_another_account_keeps_the_rights_over_files_alone() -> None:
    ended = subprocess.run([sys.executable, "-c", SANDBOX], capture_output=True, text=True, timeout=60, check=True)
    rights = ended.stdout.split()
    assert len(rights) == 4
    for found in rights:
        assert int(found, 16) & ~0b110 == 0
