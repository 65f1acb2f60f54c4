"""What `submit --out` writes of a result."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from piperoll.cli.remote.out_folder import OutFolder
from piperoll.cli.remote.output import OutFormat
from piperoll.cli.remote.sources import JobSource
from piperoll.client import JobView


def job(results: dict[str, Any]) -> JobView:
    return JobView(
        job_id="job-1", job_type="pdf", status="completed", created_at=datetime(2026, 1, 1, tzinfo=UTC), results=results
    )


PLAIN = {"structured_data": {"extracted_text": "a * b", "metadata": {"extraction_method": "native"}}}
MARKED = {"structured_data": {"extracted_text": "# A"}, "asset_urls": ["/api/jobs/job-1/files/text.md"]}
SEEN = {"structured_data": {"extracted_text": "# A", "metadata": {"extraction_method": "llm_and_native"}}}
FILLED = {"structured_data": {"transformed_text": "# A"}}


@pytest.mark.parametrize(
    ("results", "kind", "name"),
    [
        (PLAIN, OutFormat.TEXT, "report.pdf.txt"),
        (PLAIN, OutFormat.MARKDOWN, "report.pdf.txt"),
        (MARKED, OutFormat.TEXT, "report.pdf.txt"),
        (MARKED, OutFormat.MARKDOWN, "report.pdf.md"),
        (SEEN, OutFormat.MARKDOWN, "report.pdf.md"),
        (FILLED, OutFormat.MARKDOWN, "report.pdf.md"),
        (FILLED, OutFormat.JSON, "report.pdf.json"),
    ],
)
def test_the_ending_is_that_of_the_content(results: dict[str, Any], kind: OutFormat, name: str, tmp_path: Path) -> None:
    folder = OutFolder(tmp_path / "out", kind)
    folder.require_writable()
    folder.write(JobSource("report.pdf", "pdf", {}, tmp_path / "report.pdf"), job(results))
    (written,) = (tmp_path / "out").iterdir()
    assert written.name == name
    content = written.read_text()
    if kind is OutFormat.JSON:
        assert json.loads(content) == results
    else:
        assert content == job(results).text
