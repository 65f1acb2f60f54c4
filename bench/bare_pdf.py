"""What the `pdf` job is compared with: a multiprocessing loop over the same files with the same calls to PyMuPDF.

Reads `{"processes", "files"}` from standard input; answers the seconds that it took, its processes being warm.
"""

import json
import multiprocessing
import os
import sys
import time


def extract(path: str) -> int:
    """The number of characters in a document, page by page as the processor does."""
    from services.worker.processors import mupdf  # in the child only, as in the worker

    with mupdf.open_pdf(path) as document:
        return sum(len(mupdf.page_text(document, number) or "") for number in range(1, mupdf.page_count(document) + 1))


def main() -> None:
    """Times one pass over the files."""
    order = json.load(sys.stdin)
    files, processes = order["files"], order["processes"]
    # A session each, as the worker's children have: Linux deals the CPU out by session (sched(7), autogroup).
    with multiprocessing.get_context("spawn").Pool(processes, initializer=os.setsid) as pool:
        pool.map(extract, files[-1:] * processes, chunksize=1)  # imports, and one document each
        began = time.monotonic()
        characters = sum(pool.imap_unordered(extract, files, chunksize=1))
        print(json.dumps({"seconds": time.monotonic() - began, "characters": characters}))


if __name__ == "__main__":
    main()
