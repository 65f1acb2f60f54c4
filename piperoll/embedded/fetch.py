"""`python -m piperoll.embedded.fetch`: download Kafka's jars; `make setup` runs it."""

import sys

from piperoll.embedded.errors import StackError
from piperoll.embedded.jars import fetch_jars


def main() -> int:
    """Download with a line of progress for each jar; return the exit code."""
    try:
        fetch_jars(lambda line: print(line, flush=True))
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
