"""Documents and folders as clients see them, the contents that jobs get, and requests."""

from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from piperoll.domain.job import Job, Status
from piperoll.log.record import Position
from schemas.claims import Claim
from schemas.documents import ResolvedText
from schemas.job_types.declaration import Named
from schemas.job_types.registry import OWN
from services.api.documents.requests import (
    AddDocumentQuery,
    DocumentForm,
    DocumentPageQuery,
    document_id_of,
    folder_id_of,
)
from services.api.documents.views import document_status, document_view, folder_view, hit_view
from services.api.folders.requests import FilesBody, FolderChange, SearchQuery, file_ids_of
from services.api.http.errors import ApiError
from services.api.jobs.named_documents import indexed, synchronised
from services.api.jobs.views import JobContents
from services.api.read_model.document_rows import DocumentRow, FolderRow, HitRow, SourceRow, TextRow
from services.api.read_model.job_rows import JobRow

NOW = datetime(2026, 1, 1, 10, 29, tzinfo=UTC)
WRITTEN = "2026-01-01T10:29:00.000Z"
ID = "doc-2b7d6a0c-55e1-4f7b-9a41-6a3c0c1d9e20"
CONTENT = Claim(uri=f"documents/{ID}/abc", sha256="abc", size=12, media_type="text/markdown")
FOLDER = FolderRow("folder-1", "o", "Documentation", None, 500, False, NOW, NOW, 12)
BARE = {"documentId": ID, "title": "a.md", "createdAt": WRITTEN, "updatedAt": WRITTEN}
ABOUT = {"fileName": "a.md", "mimetype": "text/markdown", "size": 12}


def document(status: Status | None = None, media_type: str = "text/markdown") -> DocumentRow:
    return DocumentRow(ID, "o", "a.md", media_type, 12, False, NOW, NOW, CONTENT, "job-1", status)


def job(status: Status) -> JobRow:
    folded = Job(
        job_id="job-1", owner="o", status=status, created_at=NOW, updated_at=NOW, error_code="INVALID_DOCUMENT"
    )
    return JobRow(
        job_id="job-1",
        owner="o",
        status=status,
        job_type="extraction",
        user_id=None,
        target_id=ID,
        batch_id=None,
        batch_index=None,
        created_at=NOW,
        updated_at=NOW,
        erased=False,
        position=Position(0, 0),
        job=folded,
        batch=None,
        facts=(),
        failures=(),
    )


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
    assert begun == {**BARE, "status": "IN_PROGRESS", "metadata": ABOUT}


def test_an_extracted_document_has_its_text_and_its_pages_with_the_texts_of_all_methods() -> None:
    contents = [{"page": 2, "content": "C"}, {"page": 1, "content": "A"}, {"page": 1, "content": "B"}]
    metadata = {"text_contents": contents, "pageCount": 2, "warnings": [], "fileName": "x", "fileSize": 1}
    data = {"extracted_text": "A B C", "title": "Alphabet", "metadata": metadata}
    assert document_view(document(), job(Status.COMPLETED), JobContents(result={"structured_data": data})) == {
        **BARE,
        "status": "DONE",
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
    hit = {"documentId": ID, "chunk": 3, "text": "T", "score": 0.123457}
    assert hit_view(HitRow(ID, 3, "T", 0.12345678)) == hit


def test_an_embedding_job_gets_the_extracted_texts_and_the_number_of_pending_ones() -> None:
    texts = [
        TextRow("doc-1", "a", CONTENT, Status.COMPLETED),
        TextRow("doc-2", "b", CONTENT, Status.PROCESSING),  # is read again: the earlier text stands until then
        TextRow("doc-3", None, None, Status.FAILED),
        TextRow("doc-4", "d", None, Status.PENDING),
        TextRow("doc-5", "e", None, None),
    ]
    folder = indexed(FOLDER, texts)
    assert folder.documents == (
        ResolvedText(document_id="doc-1", name="a", text=CONTENT),
        ResolvedText(document_id="doc-2", name="b", text=CONTENT),
    )
    assert (folder.pending, folder.chunk_size, folder.name) == (3, 500, "Documentation")


def test_a_sync_job_gets_the_known_sources() -> None:
    [known] = synchronised(FOLDER, [SourceRow("doc-1", "file:///a/b", "r1", ("job-1", "job-2"))]).documents
    assert (known.source, known.revision, known.jobs) == ("file:///a/b", "r1", ("job-1", "job-2"))


@pytest.mark.parametrize(
    ("job_type", "parameters", "named"),
    [
        ("extraction", {"document_id": "d"}, ("document_id", "d")),
        ("extraction", {"filename": "/a"}, None),
        ("transcription", {"document_id": "d"}, ("document_id", "d")),
        ("generation", {"document_id": "d", "prompt": "p"}, ("document_id", "d")),
        ("generation", {"text": "t", "prompt": "p"}, None),
        ("embedding", {"folder_id": "f"}, ("folder_id", "f")),
        ("sync", {"folder_id": "f", "source": "file:///a"}, ("folder_id", "f")),
        ("import", {"folder_id": "f", "items": [{"filename": "/a"}]}, ("folder_id", "f")),
        ("import", {"items": [{"filename": "/a"}]}, None),
        ("pdf", {"filename": "/a", "target_id": "d"}, None),
        ("noop", {}, None),
    ],
)
def test_a_job_type_declares_the_parameter_that_names_content(
    job_type: str, parameters: dict[str, Any], named: tuple[str, str] | None
) -> None:
    declared = OWN.of(job_type)
    found = declared.named_by(declared.parameters.model_validate(parameters))
    assert (found and (found[0].parameter, found[1])) == named


@pytest.mark.parametrize(
    ("job_type", "named"),
    [
        ("extraction", Named.DOCUMENT),
        ("transcription", Named.DOCUMENT),
        ("generation", Named.DOCUMENT_TEXT),
        ("embedding", Named.FOLDER_TEXTS),
        ("sync", Named.FOLDER_SOURCES),
        ("import", Named.FOLDER),
        ("pdf", None),
    ],
)
def test_a_job_type_declares_the_content_to_look_up(job_type: str, named: Named | None) -> None:
    assert OWN.of(job_type).names is named


@pytest.mark.parametrize("text", ["", "doc", ID + "0", ID.upper(), f"{ID}\n", "folder" + ID[3:], f"../{ID}"])
def test_a_malformed_document_id_is_not_found(text: str) -> None:
    with pytest.raises(ApiError) as found:
        document_id_of(text)
    assert found.value.status == 404
    assert document_id_of(ID) == ID


def test_a_malformed_folder_id_is_not_found() -> None:
    assert folder_id_of("folder" + ID[3:]) == "folder" + ID[3:]
    with pytest.raises(ApiError):
        folder_id_of(ID)


def test_repeated_ids_are_merged() -> None:
    assert file_ids_of(FilesBody.read({"filesIds": [ID, ID]})) == [ID]


@pytest.mark.parametrize(
    "body", [{"filesIds": []}, {"filesIds": [ID] * 5001}, {"filesIds": "x"}, {}, {"fileIds": [ID]}]
)
def test_files_that_are_not_a_list_of_ids_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as found:
        FilesBody.read(body)
    assert found.value.code == "INVALID_PARAMETERS"


def test_an_empty_change_is_accepted() -> None:
    assert FolderChange.read({}) == FolderChange()


def test_query_strings_and_forms_are_parsed() -> None:
    assert SearchQuery.of(QueryParams("q=%20heat%20")).q == "heat"
    assert SearchQuery.of(QueryParams("q=heat&limit=100")).limit == 100
    pages = [DocumentPageQuery.of(QueryParams(query)) for query in ("", "limit=5&offset=10")]
    assert [(page.limit, page.offset) for page in pages] == [(1000, 0), (5, 10)]
    waits = [AddDocumentQuery.of(QueryParams(query)).wait for query in ("", "wait=0", "wait=2.5")]
    assert waits == [None, 0.0, 2.5]
    assert DocumentForm.read({"file": None}).folder_id == ""
    assert DocumentForm.read({"file": None, "folderId": ""}).folder_id == ""


@pytest.mark.parametrize("text", ["wait=-1", "wait=301", "wait=a", "wait=", "wait=٣", "limit=1"])
def test_an_invalid_wait_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as found:
        AddDocumentQuery.of(QueryParams(text))
    assert found.value.status == 400
