"""What the README and the docs show of the page (`make screenshots`): pictures of a real system at work."""

import re
from pathlib import Path

from playwright.async_api import expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.visits import Visit
from tests.support.files.pdf import pdf
from tests.support.files.reports import report
from tests.support.waiting import PATIENCE_S

WAIT_MS = PATIENCE_S * 1000  # dozens of pages are drawn
REPORTS = {
    "annual-report.pdf": ("Annual report", 9),
    "minutes-2026-10.pdf": ("Minutes of October", 3),
    "lease-north.pdf": ("Lease of the northern site", 6),
    "audit-plan.pdf": ("Audit plan", 4),
    "quarter-3.pdf": ("Report of the third quarter", 3),
}


async def test_the_pictures_of_the_docs(page_of: PageOf, tmp_path: Path) -> None:
    visit = await page_of("office")
    files = [report(tmp_path / name, *content) for name, content in REPORTS.items()]
    await visit.page.goto(f"{visit.url}/#/new")
    await visit.page.get_by_label("Draw each page").check()
    await visit.page.set_input_files("#files", [pdf(tmp_path / "sealed-offer.pdf", password="x"), *files])
    await expect(visit.page.locator(".item.completed")).to_have_count(len(files))
    await expect(visit.page.locator(".item", has_text="sealed-offer.pdf")).to_contain_text("password")
    await visit.shot("docs-drop")

    running = {"job_type": "noop", "parameters": {"sleep_s": 600, "steps": 1000}}
    job_id = (await visit.client.post("/api/jobs/", json=running)).json()["data"]["job_id"]
    await visit.page.get_by_role("link", name="Jobs", exact=True).click()
    await expect(visit.page.get_by_role("link", name="annual-report.pdf")).to_be_visible()
    await expect(visit.page.locator("main")).to_contain_text(re.compile(r"Running\s*1"))
    await visit.shot("docs-jobs")
    assert (await visit.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200  # its slot is for other tests

    await visit.page.get_by_role("link", name="quarter-3.pdf").click()
    await _show_pages(visit)
    await visit.shot("docs-job")

    await _search(visit, tmp_path)
    await visit.shot("docs-search")

    phone = await page_of(visit.owner, phone=True, dark=True)
    await expect(phone.page.get_by_role("link", name="annual-report.pdf")).to_be_visible()
    await phone.shot("docs-phone")


async def _search(visit: Visit, folder: Path) -> None:
    made = await visit.client.post("/v1/folders", json={"name": "Reports of the year", "chunkSize": 400})
    folder_id = made.json()["data"]["id"]
    await visit.page.goto(f"{visit.url}/#/folders/{folder_id}")
    await visit.page.set_input_files("#files", [folder / name for name in REPORTS])
    await expect(visit.page.locator(".folder-side .item.completed")).to_have_count(len(REPORTS), timeout=WAIT_MS)
    await visit.page.get_by_role("button", name="Clear the finished ones").click()
    await visit.page.get_by_role("button", name="Index now").click()
    await expect(visit.page.get_by_text("5 documents indexed")).to_be_visible(timeout=WAIT_MS)
    await visit.page.get_by_label("What to look for").fill("Why did the cost of rent go down?")
    await visit.page.get_by_role("button", name="Search", exact=True).click()
    best = visit.page.get_by_role("list", name="Passages").get_by_role("listitem").first
    await expect(best).to_contain_text("saved a twelfth of rent")
    await expect(best.get_by_role("img")).to_have_js_property("complete", True)


async def _show_pages(visit: Visit) -> None:
    await visit.page.get_by_role("tab", name="Pages").click()
    await expect(visit.page.get_by_role("article", name="Page 1")).to_contain_text("Summary")
    await expect(visit.page.get_by_role("img", name="Picture of page 1")).to_have_js_property("complete", True)
