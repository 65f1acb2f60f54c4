"""Pages that crash or hang their child process or use up its memory, by an OCR program that does so for pages of a
certain width, and by a page with too much text."""

import asyncio
import json
import threading

import pytest

from piperoll.store.page_paths import record_of
from schemas.errors import ErrorCode
from schemas.pages import PageRecord
from services.worker.children.protocol import Completed, Failed
from services.worker.children.scratch import ScratchFolder
from services.worker.pages.mupdf import pymupdf
from tests.support.children import assignment, ignore, running_pool
from tests.support.files.pdf import flooding_pdf
from tests.support.waiting import PATIENCE_S

GOOD, CRASH, HANG, KILLED, SLOW, ABORT, FLOOD = 300, 310, 320, 330, 340, 350, 360
"""Widths of pages, in points."""
MEMORY_BYTES = 256 * 1024**2
NONE = "off"
"""No sandbox, where the program has to write down which pages it was given."""
PROGRAM = """#!/bin/sh
if [ "$1" = --list-langs ]; then printf 'List of languages (2):\\ndeu\\neng\\n'; exit 0; fi
read magic width height depth
cat > /dev/null
echo "$width" >> "$(dirname "$0")/asked"
case $((width * 72 / 200)) in
    309|310|311) kill -SEGV $PPID ;;
    319|320|321) exec sleep 1000 ;;
    329|330|331) kill -KILL $PPID ;;
    339|340|341) sleep 1.2 ;;
    349|350|351) kill -ABRT $$ ;;
    359|360|361) exec head -c 2000000000 /dev/zero ;;
esac
printf 'level\\tpage_num\\tblock_num\\tpar_num\\tline_num\\tword_num\\tleft\\ttop\\twidth\\theight\\tconf\\ttext\\n'
printf '5\\t1\\t1\\t1\\t1\\t1\\t0\\t0\\t9\\t9\\t95\\tread\\n'
"""


@pytest.fixture
def ocr(tmp_path, monkeypatch):
    """The file to which the program adds a line for each page that it was given."""
    program = tmp_path / "bin" / "tesseract"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return program.parent / "asked"


def scan(tmp_path, widths):
    """A PDF of pages with a drawing and no text."""
    with pymupdf.open() as made:
        for width in widths:
            made.new_page(width=width, height=400).draw_rect(pymupdf.Rect(50, 50, 99, 99), fill=(0.2, 0.4, 0.6))
        made.save(tmp_path / "a.pdf")
    return str(tmp_path / "a.pdf")


async def outcome_of(tmp_path, job_type, widths, **changed):
    asked = {"extraction_method": "ocr"} if job_type == "pdf" else {}
    given = assignment(tmp_path, job_type, filename=scan(tmp_path, widths), ocr_engine="tesseract", **asked)
    async with running_pool(tmp_path, **changed) as pool:
        outcome = await pool.run(given, ignore)
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)
    return outcome


def metadata_of(tmp_path, outcome):
    assert isinstance(outcome, Completed)
    return json.loads((tmp_path / "blobs" / outcome.result.uri).read_text())["structured_data"]["metadata"]


@pytest.mark.usefixtures("ocr")
@pytest.mark.parametrize("job_type", ["pdf", "extraction"])
async def test_pages_that_crash_their_process_are_skipped_and_named(tmp_path, job_type):
    outcome = await outcome_of(tmp_path, job_type, [GOOD, CRASH, GOOD, CRASH, GOOD])
    metadata = metadata_of(tmp_path, outcome)
    assert metadata["failed_pages"] == [2, 4]
    assert any(warning.startswith("The work on pages 2, 4 crashed, ") for warning in metadata["warnings"])
    texts = [content.get("text", content.get("content")) for content in metadata["text_contents"]]
    assert texts == ["read", "", "read", "", "read"]


@pytest.mark.parametrize("job_type", ["pdf", "extraction"])
async def test_after_a_crash_the_next_child_goes_on_after_the_finished_pages(tmp_path, job_type, ocr):
    outcome = await outcome_of(tmp_path, job_type, [SLOW, SLOW, CRASH, GOOD], sandbox=NONE)
    assert metadata_of(tmp_path, outcome)["failed_pages"] == [3]
    assert len(ocr.read_text().splitlines()) == 4
    assert outcome.page_checkpoints


@pytest.mark.usefixtures("ocr")
@pytest.mark.parametrize("job_type", ["pdf", "extraction"])
async def test_a_page_that_hangs_is_skipped_after_its_time(tmp_path, job_type):
    outcome = await outcome_of(tmp_path, job_type, [GOOD, HANG, GOOD], page_timeout_s=3)
    assert metadata_of(tmp_path, outcome)["failed_pages"] == [2]


@pytest.mark.usefixtures("ocr")
@pytest.mark.parametrize("job_type", ["pdf", "extraction"])
async def test_a_page_on_which_the_ocr_program_crashes_is_skipped_and_named(tmp_path, job_type):
    outcome = await outcome_of(tmp_path, job_type, [GOOD, ABORT, GOOD])
    assert metadata_of(tmp_path, outcome)["failed_pages"] == [2]


@pytest.mark.usefixtures("ocr")
async def test_a_page_whose_ocr_uses_up_the_memory_is_skipped_and_named(tmp_path):
    outcome = await outcome_of(tmp_path, "pdf", [GOOD, FLOOD, GOOD], job_memory_bytes=MEMORY_BYTES)
    assert metadata_of(tmp_path, outcome)["failed_pages"] == [2]


@pytest.mark.parametrize("job_type", ["pdf", "extraction"])
async def test_a_page_whose_text_uses_up_the_memory_is_skipped_and_named(tmp_path, job_type):
    given = assignment(tmp_path, job_type, filename=str(flooding_pdf(tmp_path / "a.pdf", pages=3, flooding=2)))
    async with running_pool(tmp_path, job_memory_bytes=MEMORY_BYTES) as pool:
        outcome = await pool.run(given, ignore)
    metadata = metadata_of(tmp_path, outcome)
    assert metadata["failed_pages"] == [2]
    texts = [content.get("text", content.get("content")) for content in metadata["text_contents"]]
    assert [text.strip() for text in texts if text] == ["This is page 1.", "This is page 3."]


@pytest.mark.usefixtures("ocr")
@pytest.mark.parametrize("job_type", ["pdf", "extraction"])
async def test_a_job_of_which_every_page_crashes_fails_for_good(tmp_path, job_type):
    outcome = await outcome_of(tmp_path, job_type, [CRASH, CRASH])
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == (ErrorCode.INVALID_PDF, False)


@pytest.mark.usefixtures("ocr")
async def test_a_page_is_not_blamed_for_a_kill_from_outside(tmp_path):
    outcome = await outcome_of(tmp_path, "pdf", [GOOD, KILLED])
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == (ErrorCode.PROCESSOR_CRASHED, True)


async def test_a_document_without_bad_pages_has_no_failed_pages(tmp_path, ocr):
    outcome = await outcome_of(tmp_path, "pdf", [GOOD, GOOD], sandbox=NONE)
    assert "failed_pages" not in metadata_of(tmp_path, outcome)
    assert not outcome.page_checkpoints
    assert len(ocr.read_text().splitlines()) == 2


@pytest.mark.usefixtures("ocr")
async def test_a_run_that_is_killed_while_its_bad_page_is_cleaned_up_gives_its_slot_back(tmp_path, monkeypatch):
    cleaning, release, real = threading.Event(), threading.Event(), ScratchFolder.clear

    def slow(folder, run):
        cleaning.set()
        assert release.wait(PATIENCE_S)
        real(folder, run)

    monkeypatch.setattr(ScratchFolder, "clear", slow)
    given = assignment(
        tmp_path, "pdf", filename=scan(tmp_path, [CRASH]), extraction_method="ocr", ocr_engine="tesseract"
    )
    async with running_pool(tmp_path) as pool:
        run = asyncio.create_task(pool.run(given, ignore))
        assert await asyncio.to_thread(cleaning.wait, PATIENCE_S)
        run.cancel()
        await asyncio.wait([run])
        release.set()
        async with asyncio.timeout(PATIENCE_S):
            assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)


@pytest.mark.usefixtures("ocr")
async def test_the_pages_before_one_that_ends_its_child_stay_readable_and_those_after_it_follow(tmp_path):
    widths = [SLOW, SLOW, CRASH, SLOW, SLOW, SLOW]
    asked = {"filename": scan(tmp_path, widths), "extraction_method": "ocr", "ocr_engine": "tesseract"}
    given = assignment(tmp_path, "pdf", **asked)
    found = []
    async with running_pool(tmp_path) as pool:
        outcome = await pool.run(given, lambda progress: found.append(progress.page_records))
    assert metadata_of(tmp_path, outcome)["failed_pages"] == [3]
    last = found[-1]
    uris = [record_of(given.job_id, given.run, last.key, number) for number in range(last.count)]
    records = [PageRecord.model_validate_json((tmp_path / "blobs" / uri).read_bytes()) for uri in uris]
    pages = [page for record in records for page in record.pages]
    assert [(page.page, page.failed) for page in pages] == [(n, n == 3) for n in range(1, len(pages) + 1)]
    assert len(pages) >= 5
