"""What a sandbox that was taken over reports: no value can be too large for a fact or unfit for Postgres."""

import json
import socket
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.claims import Claim
from schemas.documents import Findings, FoundDocument
from services.worker.children.channel import Channel
from services.worker.children.desk import check_findings
from services.worker.children.errands import SAID
from services.worker.children.grants import Grant, NotGrantedError
from services.worker.children.protocol import RunProgress
from services.worker.children.sandbox import ProgressSender

LONG = "x" * 1_000_000
SHA = "a" * 64
RECORDS = {"run": "run-1", "key": "0f", "count": 1, "last": 1}


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "progress", "step": LONG, "percent": 1},
        {"kind": "progress", "step": "a\0b", "percent": 1},
        {"kind": "progress", "step": "a", "percent": 1, "message": LONG},
        {"kind": "progress", "step": "a", "percent": 1, "page": 2**40},
        {"kind": "progress", "step": "a", "percent": 1, "pages": -1},
        {"kind": "progress", "step": "a", "percent": 1, "page_records": {**RECORDS, "count": 2**40}},
        {"kind": "progress", "step": "a", "percent": 1, "page_records": {**RECORDS, "last": 2**40}},
        {"kind": "progress", "step": "a", "percent": 1, "page_records": {**RECORDS, "run": LONG}},
        {"kind": "progress", "step": "a", "percent": 1, "page_records": {**RECORDS, "key": LONG}},
        {"kind": "finished", "pages": 2**40},
        {"kind": "finished", "bytes_in": 10**30},
        {"kind": "finished", "assets": 2**40},
        {"kind": "finished", "method": LONG},
        {"kind": "finished", "method": "a\0b"},
        {"kind": "finished", "counts": {"words": 10**30}},
        {"kind": "finished", "counts": {LONG: 1}},
        {"kind": "finished", "counts": {f"n{number}": 1 for number in range(1000)}},
        {"kind": "store", "call": "put", "uris": ["a"], "media_type": LONG},
    ],
)
def test_a_report_without_bounds_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SAID.validate_json(json.dumps(said))


def test_an_error_with_a_long_name_is_refused() -> None:
    failed = {"outcome": "failed", "code": "INVALID_PDF", "message": "", "error_type": LONG, "retryable": False}
    with pytest.raises(ValidationError):
        SAID.validate_json(json.dumps({"kind": "finished", "failed": {**failed, "duration_ms": 1}}))


@pytest.mark.parametrize("changed", [{"name": "x" * 501}, {"name": ""}, {"source": LONG}, {"revision": LONG}])
def test_a_found_document_that_no_fact_can_have_is_refused(changed: dict[str, str]) -> None:
    check(FoundDocument.model_validate(found()))
    with pytest.raises(NotGrantedError):
        check(FoundDocument.model_validate({**found(), **changed}))
    with pytest.raises(NotGrantedError):
        check(FoundDocument.model_validate({**found(), **dict.fromkeys(changed, "a\0b")}))


def check(document: FoundDocument) -> None:
    grant = Grant("job-1", "run-1", "acme", frozenset(), finds_documents=True)
    grant.written[document.content.uri] = document.content
    check_findings(Findings(found=(document,)), grant, None)


def found() -> dict[str, Any]:
    content = Claim(uri=f"documents/doc-1/{SHA}", sha256=SHA, size=1)
    return {"document_id": "doc-1", "name": "a.md", "source": "file:///a.md", "revision": "1", "content": content}


def test_progress_of_any_processor_is_brought_within_the_bounds() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ProgressSender(Channel(theirs))(f"a\0{'b' * 1000}", 200, message=LONG, page=-1, pages=2**40)
        said = SAID.validate_json(Channel(ours).receive().message)
    assert isinstance(said, RunProgress)
    assert said.step.startswith("a bbb")
    assert (said.percent, said.page) == (100, 0)
