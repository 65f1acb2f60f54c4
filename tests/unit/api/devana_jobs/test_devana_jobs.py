"""Jobs as the Devana API shows them: names, metadata by type, and what a query string asks for. Pure."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from piperoll.domain.job import Job, Status
from piperoll.log.record import Position
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.claims import Claim
from schemas.devana import STATUSES, TYPE_NAMES, Figures, target_of
from schemas.documents import ResolvedDocument, ResolvedFolder, ResolvedSync, parameters_document
from schemas.job_types.registry import OWN
from services.api.devana_jobs.requests import DevanaJobsQuery
from services.api.devana_jobs.views import devana_job, devana_of, new_devana_job
from services.api.http.errors import ApiError
from services.api.read_model.content_memo import ContentMemo
from services.api.read_model.contents import Contents
from services.api.read_model.job_rows import JobRow

TIME = datetime(2026, 1, 1, 10, 29, 0, 123_456, tzinfo=UTC)
LATER = datetime(2026, 1, 1, 10, 35, 0, 999_999, tzinfo=UTC)
CLAIM = Claim(uri="documents/doc-1/a", sha256="a" * 64, size=2_456_789, media_type="application/pdf")
TYPES = {job_type: name for name in TYPE_NAMES for job_type in OWN.devana(name)}
VISIBLE = ("pending", "processing", "completed", "failed")


def row(status: Status = Status.PROCESSING, job: dict[str, Any] | None = None, **columns: Any) -> JobRow:
    folded = {
        "job_id": "job-1",
        "owner": "owner",
        "status": status,
        "created_at": TIME,
        "updated_at": LATER,
        "created": True,
        "job_type": "pdf",
        **(job or {}),
    }
    known = {
        "job_id": "job-1",
        "owner": "owner",
        "status": status,
        "job_type": "pdf",
        "user_id": None,
        "target_id": None,
        "batch_id": None,
        "batch_index": None,
        "created_at": TIME,
        "updated_at": LATER,
        "erased": False,
        "position": Position(0, 0),
        "job": Job(**folded),
        "batch": None,
        "facts": (),
        "failures": (),
        **columns,
    }
    return JobRow(**known)


def test_a_running_extraction_has_every_key_of_the_sample() -> None:
    folded = {"attempt": 1, "percent": 65, "pages": 45, "started_at": TIME, "bytes_in": 2_456_789}
    view = devana_job(row(job=folded, user_id="user", target_id="doc"), {"fileName": "report-2024.pdf"})
    assert view == {
        "id": "job-1",
        "userId": "user",
        "targetId": "doc",
        "type": "EXTRACTION",
        "status": "IN_PROGRESS",
        "progress": 65,
        "metadata": {"fileName": "report-2024.pdf", "fileSize": 2_456_789, "pageCount": 45},
        "startedAt": "2026-01-01T10:29:00.123Z",
        "createdAt": "2026-01-01T10:29:00.123Z",
        "updatedAt": "2026-01-01T10:35:00.999Z",
    }


def test_unknown_values_are_omitted() -> None:
    view = devana_job(row(Status.PENDING), {})
    assert view.keys() == {"id", "userId", "targetId", "type", "status", "createdAt", "updatedAt"}
    assert (view["userId"], view["targetId"]) == ("owner", "job-1"), "the key's owner, and the job itself"


def test_a_failed_job_has_its_error_twice() -> None:
    view = devana_job(row(Status.FAILED, {"attempt": 1, "ended_at": LATER}), {}, "The file is damaged.")
    assert (view["status"], view["error"], view["metadata"]["error"]) == (
        "ERROR",
        "The file is damaged.",
        "The file is damaged.",
    )
    assert view["completedAt"] == "2026-01-01T10:35:00.999Z"


@pytest.mark.parametrize(
    ("target_id", "batch_id", "expected"), [("doc", "batch", "doc"), (None, "batch", "batch"), (None, None, "job")]
)
def test_the_target_of_a_job_is_its_parameter_its_batch_or_itself(
    target_id: str | None, batch_id: str | None, expected: str
) -> None:
    assert target_of("job", target_id, batch_id) == expected


def test_every_type_except_noop_and_every_status_has_a_name() -> None:
    assert set(OWN.names) - TYPES.keys() == {"noop"}
    assert {status.value for status in Status} == STATUSES.keys()
    assert OWN.devana("EXTRACTION") == ("extraction", "pdf")
    assert OWN.devana("GENERATION") == ("generation", "transformer")
    assert OWN.devana("IMPORT") == ("import", "session")
    assert OWN.devana("NONE") == ()


def test_a_new_job_is_pending_with_the_metadata_of_its_parameters() -> None:
    resolved = ResolvedDocument(document_id="doc-1", name="a.docx", content=CLAIM)
    document = parameters_document("extraction", {"document_id": "doc-1"}, resolved)
    assert new_devana_job("job-1", "owner", "extraction", TIME, target_id="doc-1", document=document) == {
        "id": "job-1",
        "userId": "owner",
        "targetId": "doc-1",
        "type": "EXTRACTION",
        "status": "PENDING",
        "metadata": {
            "fileName": "a.docx",
            "fileSize": 2_456_789,
            "mimeType": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        },
        "createdAt": "2026-01-01T10:29:00.123Z",
        "updatedAt": "2026-01-01T10:29:00.123Z",
    }


FOLDER = ResolvedFolder(folder_id="folder-1", name="Documentation", chunk_size=500)
SYNCED = ResolvedSync(folder_id="folder-1", name="Documentation")


@pytest.mark.parametrize(
    ("job_type", "parameters", "resolved", "figures", "expected"),
    [
        (
            "pdf",
            {"filename": "/data/report.PDF", "extraction_method": "combined"},
            None,
            Figures(pages=10, bytes_in=1_234_567),
            {
                "fileName": "report.PDF",
                "fileSize": 1_234_567,
                "mimeType": "application/pdf",
                "pageCount": 10,
                "extractionMethod": "both",
            },
        ),
        (
            "pdf",
            {"url": "https://example.com/a%20b.pdf?x=1"},
            None,
            Figures(),
            {"fileName": "a b.pdf", "mimeType": "application/pdf", "extractionMethod": "native"},
        ),
        (
            "extraction",
            {"filename": "upload://file-1/notes.md"},
            None,
            Figures(method="text", bytes_in=12),
            {"fileName": "notes.md", "fileSize": 12, "mimeType": "text/markdown", "extractionMethod": "text"},
        ),
        (
            "embedding",
            {"folder_id": "folder-1"},
            FOLDER,
            Figures(method="all-MiniLM-L6-v2", counts={"filesProcessed": 15, "totalChunks": 450, "chunkSize": 400}),
            {
                "folderName": "Documentation",
                "filesProcessed": 15,
                "totalChunks": 450,
                "chunkSize": 400,
                "model": "all-MiniLM-L6-v2",
            },
        ),
        (
            "embedding",
            {"folder_id": "folder-1", "chunk_size": 300},
            FOLDER,
            Figures(),
            {"folderName": "Documentation", "chunkSize": 300},
        ),
        (
            "sync",
            {"source": "file:///data", "folder_id": "folder-1"},
            SYNCED,
            Figures(counts={"filesAdded": 3}),
            {"folderName": "Documentation", "source": "file:///data", "filesAdded": 3},
        ),
        ("import", {"items": [{"url": "https://example.com/"}] * 3}, None, Figures(), {"filesTotal": 3}),
        (
            "session",
            {"filename": "talk.md", "url": "https://example.com/talk"},
            None,
            Figures(pages=12),
            {"fileName": "talk.md", "source": "https://example.com/talk", "pageCount": 12},
        ),
        (
            "transcription",
            {"url": "https://example.com/a.wav", "source_language": "en"},
            None,
            Figures(method="tiny.en", bytes_in=9),
            {"fileName": "a.wav", "fileSize": 9, "mimeType": "audio/wav", "language": "en", "model": "tiny.en"},
        ),
        (
            "transformer",
            {"text": "We met.", "template": "MeetingMinutes", "target_language": "de"},
            None,
            Figures(method="rules"),
            {"template": "MeetingMinutes", "targetLanguage": "de", "model": "rules"},
        ),
        (
            "generation",
            {"document_id": "doc-1", "prompt": "Shorter."},
            ResolvedDocument(document_id="doc-1", name="a.docx", content=CLAIM),
            Figures(),
            {"fileName": "a.docx"},
        ),
    ],
)
def test_metadata_by_type(job_type: str, parameters: Any, resolved: Any, figures: Figures, expected: Any) -> None:
    shown_as = devana_of(job_type)
    assert (
        shown_as.measured(shown_as.described(parameters_document(job_type, parameters, resolved)), figures) == expected
    )


@pytest.mark.parametrize("job_type", TYPES)
def test_metadata_of_erased_parameters_comes_from_the_facts(job_type: str) -> None:
    shown_as = devana_of(job_type)
    described = shown_as.described(None)
    assert described.keys() <= {"mimeType", "extractionMethod"}
    assert shown_as.measured(described, Figures(counts={"filesAdded": 1}), "why")["error"] == "why"


def asked(query: str) -> DevanaJobsQuery:
    return DevanaJobsQuery.of(QueryParams(query))


def test_without_filters_every_status_except_killed_is_listed() -> None:
    found = asked("")
    assert (found.job_types, found.statuses, found.target_id) == (tuple(TYPES), VISIBLE, None)
    assert (found.limit, found.offset) == (25, 0)


@pytest.mark.parametrize(
    ("query", "types", "statuses"),
    [
        ("type=ERROR", tuple(TYPES), ("failed",)),
        ("type=EXTRACTION", ("extraction", "pdf"), VISIBLE),
        ("status=IN_PROGRESS", tuple(TYPES), ("processing",)),
        ("type=EXTRACTION&status=ERROR", ("extraction", "pdf"), ("failed",)),
        ("type=EXTRACTION&type=ERROR", ("extraction", "pdf"), ("failed",)),
        ("type=SYNC&type=SYNC", ("sync",), VISIBLE),
        ("type=SYNC&type=EMBEDDING", ("sync", "embedding"), VISIBLE),
        ("type=PENDING&type=IN_PROGRESS", tuple(TYPES), ("pending", "processing")),
        ("type=DONE&status=ERROR", tuple(TYPES), ()),
        ("type=KILLED", tuple(TYPES), ()),
        ("status=KILLED&type=SYNC", ("sync",), ()),
    ],
)
def test_type_accepts_types_and_statuses_and_filters_combine(
    query: str, types: tuple[str, ...], statuses: tuple[str, ...]
) -> None:
    found = asked(query)
    assert (found.job_types, found.statuses) == (types, statuses)


@pytest.mark.parametrize(
    ("query", "limit", "offset"),
    [
        ("limit=1", 1, 0),
        ("limit=100", 100, 0),
        ("limit=101", 100, 0),
        (f"limit={'9' * 30}", 100, 0),
        ("offset=1000", 25, 1000),
        ("limit=10&offset=20&_=17&page=2", 10, 20),
    ],
)
def test_limits_are_clamped_and_unknown_names_ignored(query: str, limit: int, offset: int) -> None:
    found = asked(query)
    assert (found.limit, found.offset) == (limit, offset)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=ten",
        "limit=",
        "limit=2.5",
        "limit=%202",
        "limit=%D9%A3",
        f"limit={'9' * 5000}",
        "offset=1001",
        "offset=-1",
        "offset=x",
        f"offset={'9' * 30}",
        "type=noop",
        "type=error",
        "type=",
        "type=EXTRACTION&type=PDF",
        "status=EXTRACTION",
        "status=done",
        "targetId=%00",
    ],
)
def test_an_invalid_query_is_refused(query: str) -> None:
    with pytest.raises(ApiError) as caught:
        asked(query)
    assert (caught.value.status, caught.value.code) == (400, "INVALID_PARAMETERS")


def test_an_unknown_type_is_refused_with_all_that_are_known() -> None:
    with pytest.raises(ApiError) as caught:
        asked("type=NONE")
    assert set(caught.value.details["supported"]) == {*TYPES.values(), *STATUSES.values()}


async def test_content_is_read_once_until_it_is_evicted(tmp_path: Path) -> None:
    blobs = AsyncBlobs(Blobs(tmp_path.as_uri()))
    claims = [await blobs.put("folder", str(number).encode()) for number in range(3)]
    memo: ContentMemo[int] = ContentMemo(Contents(blobs), most=2)
    first, second, third = claims
    assert [await memo.get(claim, lambda found: found * 10) for claim in (first, second)] == [0, 10]
    await blobs.delete_folder("folder")
    assert [await memo.get(claim, int) for claim in (second, first)] == [10, 0], "remembered"
    assert await memo.get(third, int) is None, "never read, and gone"
    fourth = await blobs.put("folder", b"3")
    assert await memo.get(fourth, int) == 3
    assert [await memo.get(claim, int) for claim in (first, second)] == [0, None], "the one used longest ago went"
    assert await memo.get(None, int) is None
    blobs.close()
