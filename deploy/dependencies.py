"""The packages of the lock files: known vulnerabilities and licences. `make check` and `make licences` run this.

python deploy/dependencies.py audit | licences [LOCK]
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = tuple(ROOT / f"requirements{which}.lock" for which in ("", "-dev", "-build"))
LOOK_UP_S = 10  # for one package; the first one that is not answered ends the audit
AUDIT_S = 300
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
CLASSIFIER = "License :: "
LONGEST_NAME = 60  # of a licence; some packages put its whole text there


def pinned(lock: Path) -> dict[str, str]:
    """The versions of a lock file by package."""
    return dict(PINNED.findall(lock.read_text(encoding="utf-8")))


# --- vulnerabilities -------------------------------------------------------------------------------------------


def audit(lock: Path) -> int:
    """Print the known vulnerabilities of a lock; 1 if there is one. Without the network this is reported and passes."""
    argv = [sys.executable, "-m", "pip_audit", "-r", str(lock), "--require-hashes", "--disable-pip"]
    argv += ["--format", "json", "--progress-spinner", "off", "--timeout", str(LOOK_UP_S)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=AUDIT_S, check=False)
    except subprocess.TimeoutExpired:
        done = None
    report = None if done is None else parsed(done.stdout)
    if report is None:
        print(f"{lock.name}: not audited, since the database of vulnerabilities cannot be reached")
        return 0
    audited, found = findings(report)
    print(f"{lock.name}: {audited} of {len(report)} packages audited, {len(found)} known vulnerabilities")
    for line in found:
        print(f"  {line}")
    return 1 if found else 0


def parsed(output: str) -> Sequence[Mapping[str, Any]] | None:
    """The packages of pip-audit's report; None for an output that is none."""
    try:
        report = json.loads(output)
    except ValueError:
        return None
    return report["dependencies"]  # type: ignore[no-any-return]


def findings(report: Sequence[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """The number of packages that were looked up, and a line for each vulnerability with the versions without it."""
    looked_up = [one for one in report if "skip_reason" not in one]
    return len(looked_up), [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version'}"
        for one in looked_up
        for hole in one["vulns"]
    ]


# --- licences ---------------------------------------------------------------------------------------------------


def licences(lock: Path) -> int:
    """Print the licence of each package of a lock."""
    for name, version in pinned(lock).items():
        print(f"{name:32} {version:14} {licence_of(name)}")
    return 0


def licence_of(name: str) -> str:
    """The licence that an installed package declares, else the first line of the licence that it contains."""
    try:
        installed = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return "not installed here"
    about = installed.metadata
    written = about.get("License-Expression") or about.get("License") or ""
    first = _first_line(written)
    classified = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or () if one.startswith(CLASSIFIER)]
    if first and len(first) <= LONGEST_NAME:
        return first
    return ", ".join(classified) or _first_line(_licence_file(installed)) or first[:LONGEST_NAME] or "not declared"


def _licence_file(installed: metadata.Distribution) -> str:
    return next((file.read_text() for file in installed.files or () if file.name.startswith("LICEN")), "")


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0].strip()


if __name__ == "__main__":
    command, *named = sys.argv[1:]
    action = {"audit": audit, "licences": licences}[command]
    sys.exit(max([action(lock) for lock in (map(Path, named) if named else LOCKS)]))
