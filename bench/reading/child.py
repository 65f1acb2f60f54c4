"""Reads files by the product's processor and counts their words: a line with a path in, a line of JSON out.

A separate process, so that a file that ends it, or takes too long, costs itself alone.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bench.reading.sources import words_of
from bench.reading.words import recalls
from piperoll.store.blobs import Blobs
from schemas.job_types.extraction import ExtractionParameters
from services.worker.errors import ProcessingError
from services.worker.processors.extraction.processor import NO_TEXT, process
from services.worker.run.workspace import Limits, Result, Workspace

MAX_BYTES = 200_000_000
MAX_PAGES = 5000


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries may print
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(reading(Path(json.loads(line)))), file=answers, flush=True)


def reading(path: Path) -> dict[str, Any]:
    """Read a file, and return its outcome: its warnings and recalls, or why it was refused.

    `warnings` are null if there was none, or only the one that there is no text.
    """
    try:
        result = _extracted(path)
    except ProcessingError as error:
        return {"outcome": "refused", "reason": f"{error.code.value}: {error.message}"}
    except Exception as error:  # noqa: BLE001 - a fault of the product is a row of the table
        return {"outcome": "crashed", "reason": f"{type(error).__name__}: {error}"[:300]}
    warnings = [note for note in result.notes if note != NO_TEXT]
    answer: dict[str, Any] = {"outcome": "read", "warnings": warnings}
    try:
        source = words_of(path)
    except Exception as error:  # noqa: BLE001 - parsers of damaged files raise many kinds
        return {**answer, "unjudged": f"its words cannot be counted: {type(error).__name__}"}
    if source is None:
        return {**answer, "unjudged": "its kind is not counted"}
    found = recalls(source, result.structured_data["extracted_text"])
    return {**answer, "recalls": {name: [one.words, one.read, one.sample] for name, one in found.items()}}


def _extracted(path: Path) -> Result:
    folder = Path(mkdtemp(prefix="piperoll-reading-"))
    try:
        place = Workspace(
            job_id="job-1",
            run="run-1",
            owner="owner",
            attempt=1,
            blobs=Blobs(f"file://{folder}/blobs"),
            limits=Limits(roots=(path.parent.resolve(),), max_bytes=MAX_BYTES, max_pages=MAX_PAGES),
            scratch=folder / "scratch",
        )
        return process(ExtractionParameters(filename=str(path.resolve())), place, _ignored)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ignored(
    step: str, percent: int, message: str | None = None, page: int | None = None, pages: int | None = None
) -> None:
    """Take a report of progress, which is not shown here."""


if __name__ == "__main__":
    main()
