"""Which blobs a run may use."""

import pytest

from schemas.claims import Claim
from schemas.pages import PageRecords
from services.worker.children.grants import Grant, NotGrantedError, uris_in

SHA = "a" * 64
OWN = "job-1/run-1/text.md"


def grant(finds_documents: bool = False) -> Grant:
    return Grant("job-1", "run-1", "acme", frozenset({"job-9/run-9/result.json"}), finds_documents)


@pytest.mark.parametrize(
    ("call", "uri"),
    [
        ("get", "job-1/run-0/images/page_001.jpg"),
        ("get", "job-9/run-9/result.json"),
        ("link", "uploads/acme/file-1/a.pdf"),
        ("size", "removed-documents/doc-1"),
        ("names", "job-1/pages/0123"),
        ("put", OWN),
        ("put_file", "job-1/run-1/index/doc-1"),
        ("put", "job-1/pages/0123/run-1-00000.json"),
        ("put", "documents/doc-1/indexes/job-1_run-1"),
    ],
)
def test_a_run_may_use_what_is_its_own(call: str, uri: str) -> None:
    grant().require(call, uri)


@pytest.mark.parametrize(
    ("call", "uri"),
    [
        ("get", "job-2/run-1/text.md"),
        ("get", "job-1/in/parameters"),
        ("get", "job-1/run-1/../../job-2/run-1/text.md"),
        ("get", "job-1/./in/parameters"),
        ("get", "segments/2026-01-01/000000-0#0-5"),
        ("get", "cache/acme/key"),
        ("get", "installation.json"),
        ("link", "uploads/other/file-1/a.pdf"),
        ("link", f"documents/doc-1/{SHA}"),
        ("size", "removed-documents/folder-1"),
        ("size", "job-2/run-1/text.md"),
        ("names", "job-1"),
        ("names", "job-2/pages/0123"),
        ("put", "job-1/run-1/result.json"),
        ("put", "job-1/run-2/text.md"),
        ("put", "job-1/pages/0123/run-2-00000.json"),
        ("put", "documents/doc-1/indexes/job-2_run-1"),
        ("put_file", f"documents/doc-1/{SHA}"),
        ("put", "checkpoints/0"),
        ("put", "/etc/passwd"),
        ("delete", OWN),
        ("delete", "job-2/run-1/text.md"),
    ],
)
def test_a_run_may_use_nothing_else(call: str, uri: str) -> None:
    with pytest.raises(NotGrantedError):
        grant().require(call, uri)


def test_only_a_job_that_finds_documents_stores_their_contents() -> None:
    grant(finds_documents=True).require("put_file", f"documents/doc-1/{SHA}")
    with pytest.raises(NotGrantedError):
        grant(finds_documents=True).require("put_file", "documents/doc-1/details/x")


def test_a_run_deletes_what_it_wrote_and_names_no_other_claim() -> None:
    given, claim = grant(), Claim(uri=OWN, sha256=SHA, size=1)
    with pytest.raises(NotGrantedError):
        given.require_written(claim)
    given.written[OWN] = claim
    given.require("delete", OWN)
    given.require_written(claim)
    with pytest.raises(NotGrantedError):
        given.require_written(claim.model_copy(update={"size": 2}))


def test_progress_names_no_record_of_pages_that_the_run_did_not_write() -> None:
    given, records = grant(), PageRecords(run="run-1", key="0f", count=3, last=40)
    with pytest.raises(NotGrantedError):
        given.require_records(records)
    uri = "job-1/pages/0f/run-1-pages-00002.json"
    given.require("put", uri)
    given.written[uri] = Claim(uri=uri, sha256=SHA, size=1)
    given.require_records(records)
    for other in ({"run": "run-2"}, {"count": 4}, {"key": "0e"}):
        with pytest.raises(NotGrantedError):
            given.require_records(records.model_copy(update=other))


def test_the_claims_of_a_document_are_found_wherever_they_stand() -> None:
    claim = {"uri": "u-1", "sha256": SHA, "size": 1}
    resolved = {"content": claim, "documents": [{"text": {**claim, "uri": "u-2"}}], "uri": "no claim"}
    assert sorted(uris_in(resolved)) == ["u-1", "u-2"]
    assert list(uris_in(None)) == []
