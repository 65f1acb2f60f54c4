"""What an archive holds, by job type and results; and what can be the name of a job's file."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from schemas.job_types.archives import Archive
from schemas.job_types.registry import OWN
from services.api.jobs.views import shown_results
from services.api.outputs.files import is_name
from services.api.outputs.responses import media_type_of

JOB = "job-1"


def archive_of(job_id: str, job_type: str, result: dict[str, Any]) -> Archive | None:
    return OWN.of(job_type).archive(job_id, result)


def pdf(*assets: str) -> dict[str, Any]:
    return {
        "structured_data": {"extracted_text": "Größe", "metadata": {}},
        "assets": [f"/blobs/job-1/run/{asset}" for asset in assets],
        "target_dir": "/blobs/job-1/run",
    }


def test_the_archive_of_a_pdf_has_images_text_and_results_in_this_order() -> None:
    result = pdf("images/page_001.jpg", "images/page_002.jpg")
    archive = archive_of(JOB, "pdf", result)
    assert archive is not None
    assert archive.filename == "job-1-images.zip"
    assert [(entry.name, entry.output) for entry in archive.entries] == [
        ("images/page_001.jpg", "images/page_001.jpg"),
        ("images/page_002.jpg", "images/page_002.jpg"),
        ("extracted_text.md", None),
        ("result.json", None),
    ]
    assert archive.entries[2].content.decode() == "Größe"
    assert from_json(archive.entries[3].content) == result


def test_images_of_the_same_name_are_both_kept_and_archives_are_omitted() -> None:
    archive = archive_of(JOB, "pdf", pdf("a/page.jpg", "b/page.jpg", "pages.zip"))
    assert archive is not None
    assert [entry.name for entry in archive.entries][:2] == ["images/a/page.jpg", "images/b/page.jpg"]
    assert not any(entry.name.endswith(".zip") for entry in archive.entries)


@pytest.mark.parametrize(("job_type", "result"), [("pdf", pdf()), ("noop", pdf("a.jpg")), ("session", pdf("a.jpg"))])
def test_a_job_without_files_has_no_archive(job_type: str, result: dict[str, Any]) -> None:
    assert archive_of(JOB, job_type, result) is None


def test_a_transformation_s_archive_has_its_text_and_its_fields() -> None:
    data = {"transformed_text": "# Minutes", "template_fields": {"summary": "short"}}
    archive = archive_of(JOB, "transformer", {"structured_data": data, "assets": [], "target_dir": "/x"})
    assert archive is not None
    assert [entry.name for entry in archive.entries] == ["transformed.md", "template_fields.json"]
    assert from_json(archive.entries[1].content) == {"summary": "short"}


def test_the_archive_of_a_session_is_made_by_its_run() -> None:
    archive = archive_of(JOB, "session", {**pdf(), "files": {"archive": "A Talk.zip"}})
    assert archive is not None
    assert (archive.ready, archive.filename) == ("A Talk.zip", "A Talk.zip")


def test_asset_urls_are_in_the_order_of_the_assets() -> None:
    result = pdf("images/page 1.jpg", "b.jpg")
    result["assets"].append("/elsewhere/c.jpg")
    shown = shown_results(JOB, {**result, "notes": ["shown in the logs"]})
    assert shown["assets"] == result["assets"]
    assert shown["asset_urls"] == ["/api/jobs/job-1/files/images/page%201.jpg", "/api/jobs/job-1/files/b.jpg", None]
    assert "notes" not in shown


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "..", "a/../b", ".", "a\\b", "a\nb", "a\x00", "x" * 1025])
def test_a_path_to_another_folder_is_not_a_file_name(name: str) -> None:
    assert not is_name(name)


@given(st.text(max_size=30))
def test_a_name_has_no_step_out_of_its_folder(name: str) -> None:
    if is_name(name):
        assert not name.startswith("/")
        assert {"", ".", ".."}.isdisjoint(name.split("/"))


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.jpg", "image/jpeg"),
        ("a.md", "text/markdown; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.tar.gz", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_the_media_type_of_a_file_follows_from_its_suffix(name: str, media_type: str) -> None:
    assert media_type_of(name) == media_type
