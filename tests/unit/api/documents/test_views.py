"""Documents, folders and search hits as clients see them."""

import pytest

from piperoll.domain.job import Job, Status
from services.api.documents.views import document_status, document_view, folder_view, hit_view
from services.api.jobs.views import JobContents
from services.api.read_model.document_rows import DocumentRow, HitRow
from services.api.read_model.job_rows import JobRow
from tests.support.rows import CONTENT, DOCUMENT_ID, FOLDER, JOB, NOW, job_row

WRITTEN = "2026-01-01T10:29:00.000Z"
BARE = {"documentId": DOCUMENT_ID, "title": "a.md", "createdAt": WRITTEN, "updatedAt": WRITTEN}
ABOUT = {"fileName": "a.md", "mimetype": "text/markdown", "size": 12}


def document(status: Status | None = None, media_type: str = "text/markdown") -> DocumentRow:
    return DocumentRow(DOCUMENT_ID, "o", "a.md", media_type, 12, False, NOW, NOW, CONTENT, "job-1", status)


def job(status: Status) -> JobRow:
    folded = Job(
        job_id="job-1", owner="o", status=status, created_at=NOW, updated_at=NOW, error_code="INVALID_DOCUMENT"
    )
    return job_row(folded, job_type="extraction", target_id=DOCUMENT_ID)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (None, "PENDING"),
        (Status.PENDING, "PENDING"),
        (Status.PROCESSING, "IN_PROGRESS"),
        (Status.COMPLETED, "DONE"),
        (Status.FAILED, "ERROR"),
        (Status.CANCELLED, "ERROR"),
    ],
)
def test_the_status_of_a_document_follows_from_its_newest_job(status: Status | None, word: str) -> None:
    assert document_status(status) == word


def test_a_document_before_its_extraction_has_its_metadata() -> None:
    assert document_view(document(), None, JobContents()) == {**BARE, "status": "PENDING", "metadata": ABOUT}
    begun = document_view(document(), job(Status.PROCESSING), JobContents(result={"structured_data": {}}))
    assert begun == {**BARE, "status": "IN_PROGRESS", "metadata": ABOUT, "jobId": JOB}


def test_an_extracted_document_has_its_text_and_its_pages_with_the_texts_of_all_methods() -> None:
    contents = [{"page": 2, "content": "C"}, {"page": 1, "content": "A"}, {"page": 1, "content": "B"}]
    metadata = {"text_contents": contents, "pageCount": 2, "warnings": [], "fileName": "x", "fileSize": 1}
    data = {"extracted_text": "A B C", "title": "Alphabet", "metadata": metadata}
    assert document_view(document(), job(Status.COMPLETED), JobContents(result={"structured_data": data})) == {
        **BARE,
        "status": "DONE",
        "jobId": JOB,
        "title": "Alphabet",
        "content": "A B C",
        "pages": [{"pageNumber": 1, "text": "A\n\nB"}, {"pageNumber": 2, "text": "C"}],
        "metadata": {**ABOUT, "pageCount": 2},
        "totalWords": 3,
    }


def test_a_plain_text_has_its_text_under_both_keys_and_a_transcript_its_language() -> None:
    result = {"structured_data": {"extracted_text": "Two words", "language": "en"}}
    plain = document_view(document(media_type="text/plain"), job(Status.COMPLETED), JobContents(result=result))
    assert (plain["text"], plain["words"], plain["content"]) == ("Two words", 2, "Two words")
    assert plain["metadata"]["language"] == "en"


def test_a_document_with_erased_text_has_no_content() -> None:
    view = document_view(document(), job(Status.COMPLETED), JobContents())
    assert (view["status"], "content" in view) == ("DONE", False)


def test_a_document_whose_extraction_failed_has_an_error() -> None:
    view = document_view(document(), job(Status.FAILED), JobContents(error={"message": "It is damaged."}))
    assert (view["status"], view["error"]) == ("ERROR", "It is damaged.")


def test_a_folder_and_a_search_hit_have_their_keys() -> None:
    assert folder_view(FOLDER) == {
        "id": "folder-1",
        "name": "Documentation",
        "chunkSize": 500,
        "words": 12,
        "createdAt": WRITTEN,
        "updatedAt": WRITTEN,
    }
    hit = {"documentId": DOCUMENT_ID, "chunk": 3, "text": "T", "score": 0.123457}
    assert hit_view(HitRow(DOCUMENT_ID, 3, "T", 0.12345678, None, None)) == hit
    known = {**hit, "name": "note.txt", "jobId": "job-1"}
    assert hit_view(HitRow(DOCUMENT_ID, 3, "T", 0.12345678, "note.txt", "job-1")) == known
