"""Files of jobs as answers: names that cannot be stored are not found, and no browser runs one as a page."""

from pathlib import Path

import pytest
from starlette.requests import Request

from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.claims import Claim
from schemas.events import JobCompleted, JobCreated, JobStarted
from services.api.http.errors import ApiError
from services.api.outputs.files import Output, Outputs
from services.api.outputs.responses import file_response
from tests.support.rows import row_of

_CLAIM = Claim(uri="job-1/run/result.json", sha256="0", size=2)
COMPLETED = [
    JobCreated(job_type="noop", parameters=_CLAIM, body_sha256="0"),
    JobStarted(number=1, run="run", worker="w"),
    JobCompleted(run="run", result=_CLAIM),
]


@pytest.mark.parametrize("name", ["x#1", "a/x#12", "x" * 256, "nothing"])
async def test_a_name_that_no_blob_can_have_is_not_found(tmp_path: Path, name: str) -> None:
    outputs = Outputs(AsyncBlobs(Blobs(tmp_path.as_uri())))
    with pytest.raises(ApiError) as refused:
        await outputs.find(row_of(COMPLETED), name)
    assert (refused.value.status, refused.value.message) == (404, "file not found")


def test_a_file_is_a_sandboxed_attachment(tmp_path: Path) -> None:
    outputs = Outputs(AsyncBlobs(Blobs(tmp_path.as_uri())))
    request = Request({"type": "http", "headers": []})
    headers = file_response(request, outputs, Output("a/b\u00fc.html", "job-1/run/a/b.html", 3)).headers
    assert headers["Content-Security-Policy"].startswith("sandbox;")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == "attachment; filename=\"b_.html\"; filename*=UTF-8''b%C3%BC.html"
