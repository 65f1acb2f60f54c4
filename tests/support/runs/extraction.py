"""Runs of the `extraction` processor in this process, on files in the folder that its workspace may read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.documents import Resolved
from schemas.job_types.extraction import ExtractionParameters
from services.worker.errors import ProcessingError
from services.worker.processors.extraction import processor as extraction
from services.worker.run.workspace import Result, Workspace
from tests.support.runs.pdf import Reports, workspace


class Desk:
    """A workspace, and a folder whose files its runs may read."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.place = workspace(folder, **limits)
        self.folder = folder / "in"
        self.reports = Reports()

    def file(self, name: str, content: bytes | str) -> Path:
        """A file of this content."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, path: Path, **parameters: Any) -> Result:
        """What an extraction of the file gives."""
        return self._process(self.place, ExtractionParameters(filename=str(path), **parameters))

    def run_document(self, resolved: Resolved | None) -> Result:
        """What an extraction of a document gives, as the API knew it."""
        place = replace(self.place, resolved=resolved)
        return self._process(place, ExtractionParameters(document_id="doc-1"))

    def text(self, path: Path, **parameters: Any) -> str:
        """The text that an extraction of the file gives."""
        return str(self.run(path, **parameters).structured_data["extracted_text"])

    def outcome(self, path: Path) -> Result | ProcessingError:
        """The result of an extraction of the file, or why there is none."""
        try:
            return self.run(path)
        except ProcessingError as error:
            return error

    def refused(self, path: Path, **parameters: Any) -> ProcessingError:
        """Why an extraction of the file fails: for good, and in a sentence."""
        with pytest.raises(ProcessingError) as caught:
            self.run(path, **parameters)
        assert not caught.value.retryable
        assert caught.value.message.endswith(".")
        assert str(self.folder) not in caught.value.message
        return caught.value

    def _process(self, place: Workspace, asked: ExtractionParameters) -> Result:
        self.reports.clear()
        return extraction.process(asked, place, self.reports)


CHAPTERS = ["<h1>Arrival</h1><p>The ship <em>landed</em>.</p>", "<p>Grüße &amp; farewell</p><!-- unseen -->"]

PAGE = """<!doctype html><html><head><title>Weekly  notes</title><style>p {}</style></head><body>
<nav>Home</nav><h1>Pipes</h1><p>A <a href="https://example.com/a">link</a> &amp; <b>bold</b> words</p>
<script>unseen()</script><ul><li>one</li><li>two</li></ul>
<table><tr><th>Name</th><th>Cost</th></tr><tr><td>Pipe</td><td>3</td></tr></table>
<img src="data:image/png;base64,AAAA" alt="A drawing"></body></html>"""
