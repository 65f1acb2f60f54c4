"""The command line: a folder in, tables and JSON out. The exit status is 1 if words were lost silently."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from bench.reading.folder import files_of, verdicts
from bench.reading.tables import as_json, show


def main() -> int:
    """Read a folder, and print what was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.reading",
        description="Read every file of a folder with Piperoll, and compare the words that it has with those read.",
    )
    parser.add_argument("folder", type=Path, help="the folder, with all folders in it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the outcome of every file there")
    parser.add_argument(
        "--limit", type=float, default=60.0, metavar="S", help="seconds for a file (default: %(default)s)"
    )
    parser.add_argument(
        "--worst", type=int, default=20, metavar="N", help="worst files to print (default: %(default)s)"
    )
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is not a folder")
    progress = Console(stderr=True)
    files = files_of(options.folder)
    found = []
    for number, verdict in enumerate(verdicts(options.folder, files, options.limit), 1):
        found.append(verdict)
        if number % 50 == 0:
            progress.print(f"{number} of {len(files)} files")
    show(Console(width=None if sys.stdout.isatty() else 140), found, options.worst)
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(found), ensure_ascii=False, indent=1), encoding="utf-8")
    return int(any(verdict.silent for verdict in found))


if __name__ == "__main__":
    sys.exit(main())
