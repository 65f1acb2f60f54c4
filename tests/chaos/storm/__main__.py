"""`python -m tests.chaos.storm --seed N --minutes M`: exit status 0 only if every promise held."""

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path

import structlog

from tests.chaos.storm.faults.every import FAULTS
from tests.chaos.storm.run import report, storm


def main() -> int:
    """Run one storm in a temporary folder; the folder is kept when a promise was broken."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Faults under load, then a verdict on every job.")
    parser.add_argument("--seed", type=int, default=1, help="the faults that are drawn")
    parser.add_argument("--minutes", type=float, default=5.0, help="the duration of the faults")
    parser.add_argument("--only", nargs="*", default=[], choices=[fault.__name__ for fault in FAULTS], metavar="FAULT")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    path = Path(tempfile.mkdtemp(prefix="piperoll-storm-"))
    path.chmod(0o711)  # under root, Postgres runs as another account
    verdict = asyncio.run(storm(path, given.seed, given.minutes, lambda line: print(line, flush=True), given.only))
    report(given.seed, verdict, print)
    if verdict.holds:
        shutil.rmtree(path)
        return 0
    print(f"data and logs: {path}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
