"""What the `pdf` job is compared with: a multiprocessing loop over the same files.

Reads `{"processes", "files", "reading"}` from standard input; answers the seconds that it took, its processes being
warm. `reading` is one of READINGS.
"""

import json
import multiprocessing
import os
import sys
import time


def plainly(path: str) -> int:
    """The number of characters in a document, read as a script that knows PyMuPDF would."""
    from services.worker.pages import mupdf  # in the child only, as in the worker

    with mupdf.pymupdf.open(path) as document:
        return sum(len(page.get_text("text", flags=mupdf.TEXT_FLAGS)) for page in document)


def by_our_calls(path: str) -> int:
    """The number of characters in a document, read as the processor does."""
    from services.worker.pages import mupdf

    with mupdf.open_pdf(path) as document:
        return sum(len(mupdf.page_text(document, number) or "") for number in range(1, mupdf.page_count(document) + 1))


READINGS = {"plain": plainly, "our calls": by_our_calls}


def main() -> None:
    """Times one pass over the files."""
    order = json.load(sys.stdin)
    files, processes, extract = order["files"], order["processes"], READINGS[order["reading"]]
    # A session each, as the worker's children have: Linux deals the CPU out by session (sched(7), autogroup).
    with multiprocessing.get_context("spawn").Pool(processes, initializer=os.setsid) as pool:
        pool.map(extract, files[-1:] * processes, chunksize=1)  # imports, and one document each
        began = time.monotonic()
        characters = sum(pool.imap_unordered(extract, files, chunksize=1))
        print(json.dumps({"seconds": time.monotonic() - began, "characters": characters}))


if __name__ == "__main__":
    main()
