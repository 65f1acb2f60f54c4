"""The documents and folders that the parameters of a job name."""

from typing import Any

import pytest

from piperoll.domain.job import Status
from schemas.documents import ResolvedText
from schemas.job_types.declaration import Named
from schemas.job_types.registry import OWN
from services.api.jobs.named_documents import indexed, synchronised
from services.api.read_model.document_rows import SourceRow, TextRow
from tests.support.rows import CONTENT, FOLDER


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
    row = SourceRow("doc-1", "file:///a/b", "r1", ("job-1", "job-2"), {"job-2": CONTENT})
    [known] = synchronised(FOLDER, [row]).documents
    assert (known.source, known.revision, known.jobs) == ("file:///a/b", "r1", ("job-1", "job-2"))
    assert known.parameters == {"job-2": CONTENT}


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
