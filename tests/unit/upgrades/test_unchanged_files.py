"""A golden file is never changed: what it records is on disks that no change of this repository reaches."""

import hashlib

from tests.support.golden.histories import GOLDEN

SUMS = GOLDEN / "SHA256SUMS"


def test_no_golden_file_was_changed_or_deleted_and_each_is_listed() -> None:
    listed = dict(reversed(line.split("  ", 1)) for line in SUMS.read_text(encoding="utf-8").splitlines())
    found = {
        file.relative_to(GOLDEN).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in GOLDEN.rglob("*")
        if file.is_file() and file.suffix != ".md" and file != SUMS
    }
    changed = sorted(name for name in listed if found.get(name) != listed[name])
    assert changed == [], "restore these files: a changed golden file is a broken promise (tests/golden/README.md)"
    assert sorted(found) == sorted(listed), "append the new files to SHA256SUMS, in the form of sha256sum"
