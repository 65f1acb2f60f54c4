"""The metadata of a Devana job by its type."""

from typing import Any

import pytest

from schemas.devana import Figures
from schemas.documents import ResolvedDocument, ResolvedFolder, ResolvedSync, parameters_document
from services.api.devana_jobs.views import devana_of
from tests.support.devana import CLAIM, TYPES

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
