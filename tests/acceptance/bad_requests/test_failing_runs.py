"""Files that cannot be processed, and runs that crash, hang or swell (docs/contract/secretary.md#codes)."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.files.pdf import held_pdf, pdf
from tests.support.servers.website import Website
from tests.support.stacks.system import System


def broken(folder: Path, kind: str) -> Path:
    """A file that cannot be processed, of each kind."""
    path = folder / f"{kind}.pdf"
    match kind:
        case "absent":
            pass
        case "html":
            path.write_text("<html><body>not a PDF</body></html>")
        case "empty":
            path.write_bytes(b"")
        case "noise":
            path.write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 40)
        case "encrypted":
            pdf(path, password="secret")
        case "link":
            outside = folder.parent / "outside.pdf"
            pdf(outside)
            path.unlink(missing_ok=True)
            path.symlink_to(outside)
        case "long":
            pdf(path, pages=501)
    return path


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("absent", "FILE_NOT_FOUND"),
        ("html", "INVALID_PDF"),
        ("empty", "INVALID_PDF"),
        ("noise", "INVALID_PDF"),
        ("encrypted", "PDF_ENCRYPTED"),
        ("link", "FILE_NOT_ALLOWED"),
        ("long", "TOO_MANY_PAGES"),
    ],
)
async def test_a_file_that_cannot_be_processed_fails_its_job_with_a_message(
    system: System, kind: str, code: str
) -> None:
    job = await system.wait_for_end(await system.create("pdf", filename=str(broken(system.files, kind))))
    assert job["status"] == "failed"
    assert job["error"]["code"] == code, job["error"]
    assert len(job["error"]["message"].split()) >= 4, "a sentence that a person understands"
    assert "Traceback" not in str(job)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"behaviour": "crash", "max_attempts": 2}, "PROCESSOR_CRASHED"),
        ({"behaviour": "loop", "timeout_s": 1, "max_attempts": 1}, "PROCESSING_TIMEOUT"),
        ({"behaviour": "allocate", "max_attempts": 1}, "OUT_OF_MEMORY"),
    ],
)
async def test_a_run_that_crashes_hangs_or_exceeds_its_memory_affects_no_other(
    system: System, site: Website, tmp_path: Path, parameters: dict[str, Any], code: str
) -> None:
    held = held_pdf(site, tmp_path)
    neighbour = await system.create("pdf", url=held.url)
    job = await system.wait_for_end(await system.create(**parameters))
    assert job["error"]["code"] == code, job["error"]
    held.release()
    assert (await system.wait_for_end(neighbour))["status"] == "completed"
    starts = [entry for entry in (await system.job(neighbour))["logs"] if entry["message"] == "Job started"]
    assert len(starts) == 1, "the neighbour noticed nothing"
