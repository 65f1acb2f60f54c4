"""`python -m tests.chaos.roll --seed N --minutes M`: exit status 0 only if no client saw an error."""

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path

import structlog

from tests.chaos.roll.run import roll

SHARE = 0.1
"""Of the minutes of a storm: a round takes half a minute."""


def main() -> int:
    """Roll for a tenth of the given minutes, in a temporary folder that is kept if a promise was broken."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Rolling restarts under load, then a verdict.")
    parser.add_argument("--seed", type=int, default=1, help="what the clients draw")
    parser.add_argument("--minutes", type=float, default=5.0, help="the duration of the storm before it")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    path = Path(tempfile.mkdtemp(prefix="piperoll-roll-"))
    path.chmod(0o711)  # under root, Postgres runs as another account
    verdict = asyncio.run(roll(path, given.seed, SHARE * given.minutes, lambda line: print(line, flush=True)))
    seen = verdict.seen
    print(f"{verdict.rounds} rolling restarts, {len(seen.jobs)} jobs, {verdict.again} of them ran again")
    print(f"answers {dict(seen.answers)}, repeated requests {dict(seen.repeats)}")
    for sentence in verdict.broken:
        print(f"BROKEN  {sentence}")
    if not verdict.broken:
        shutil.rmtree(path)
        print("rolling restarts: holds")
        return 0
    print(f"rolling restarts: {len(verdict.broken)} promises broken; data and logs: {path}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
