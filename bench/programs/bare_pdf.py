"""The comparison for the `pdf` job: a multiprocessing loop over the same files.

Reads `{"processes", "files", "reading"}` from standard input; prints the seconds of one pass over the files with
warm processes. `reading` is a key of READINGS.
"""

import json
import multiprocessing
import os
import sys
import time


def with_get_text(path: str) -> int:
    """Read a document as a plain PyMuPDF script does; return its number of characters."""
    from services.worker.pages import mupdf  # in the child process only, as in the worker

    with mupdf.pymupdf.open(path) as document:
        return sum(len(page.get_text("text", flags=mupdf.TEXT_FLAGS)) for page in document)


def as_the_processor(path: str) -> int:
    """Read a document as the processor does; return its number of characters."""
    from services.worker.pages import mupdf

    with mupdf.open_pdf(path) as document:
        return sum(len(mupdf.page_text(document, number) or "") for number in range(1, mupdf.page_count(document) + 1))


READINGS = {"get_text": with_get_text, "processor": as_the_processor}


def main() -> None:
    """Measure one pass over the files."""
    order = json.load(sys.stdin)
    files, processes, read = order["files"], order["processes"], READINGS[order["reading"]]
    # Each in a new session, as the worker's children: Linux shares the CPU among sessions (sched(7), autogroup).
    with multiprocessing.get_context("spawn").Pool(processes, initializer=os.setsid) as pool:
        pool.map(read, files[-1:] * processes, chunksize=1)  # imports, and one document each
        began = time.monotonic()
        sum(pool.imap_unordered(read, files, chunksize=1))
        print(json.dumps({"seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
