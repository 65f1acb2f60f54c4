"""The list of batches in the page, and one batch with the ends of its jobs."""

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.visits import Visit

HOSTILE = "<img src=x onerror=alert(1)> \u05d0\u05d1\u05d2 " + "long" * 50
JOBS = [
    {"job_type": "transformer", "parameters": {"text": "A meeting.", "template": "MeetingMinutes"}},
    {"job_type": "transformer", "parameters": {"text": "Another one.", "template": "Summary"}},
    {"job_type": "transformer", "parameters": {"text": "No end.", "template_content": "{{broken|without an end"}},
]


async def create_batch(visit: Visit, name: str) -> dict[str, Any]:
    reply = await visit.client.post("/api/jobs/batch", json={"batch_name": name, "jobs": JOBS})
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["data"])


def count(visit: Visit, status: str) -> Locator:
    return visit.page.locator(f'[data-count="{status}"] dd')


async def test_a_batch_appears_by_itself_and_shows_the_ends_of_its_jobs(page_of: PageOf) -> None:
    visit = await page_of()
    await visit.page.goto(f"{visit.url}/#/batches")
    await expect(visit.page.get_by_text("No batches yet")).to_be_visible()
    made = await create_batch(visit, "Minutes of May")
    await visit.page.get_by_role("link", name="Minutes of May").click()
    await expect(visit.page.get_by_text("3 of 3 jobs have ended.")).to_be_visible()
    await expect(count(visit, "completed")).to_have_text("2")
    await expect(count(visit, "failed")).to_have_text("1")
    rows = visit.page.locator("main [data-job]")
    await expect(rows).to_have_count(3)
    await expect(rows.filter(has_text="Completed")).to_have_count(2)
    await expect(rows.filter(has_text="Failed")).to_have_count(1)
    await visit.page.goto(f"{visit.url}/#/jobs/{made['job_ids'][0]}")
    await visit.page.get_by_role("link", name=made["batch_id"]).click()
    await expect(visit.page.get_by_role("heading", name="Minutes of May")).to_be_visible()


async def test_an_erased_batch_leaves_the_page_and_an_unknown_one_is_a_sentence(page_of: PageOf) -> None:
    visit = await page_of()
    made = await create_batch(visit, "Erased")
    await visit.page.goto(f"{visit.url}/#/batches/{made['batch_id']}")
    await expect(visit.page.get_by_role("heading", name="Erased")).to_be_visible()
    await expect(visit.page.get_by_text("3 of 3 jobs have ended.")).to_be_visible()
    assert (await visit.client.delete(f"/api/jobs/batch/{made['batch_id']}")).status_code in (200, 202)
    await expect(visit.page.get_by_text("Batch not found")).to_be_visible()


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (False, True), (True, False), (True, True)])
async def test_a_hostile_name_is_text_and_fits_the_width(page_of: PageOf, phone: bool, dark: bool) -> None:
    visit = await page_of(phone=phone, dark=dark)
    await visit.page.set_viewport_size({"width": 360, "height": 740} if phone else {"width": 1440, "height": 900})
    made = await create_batch(visit, HOSTILE)
    look = f"{'phone' if phone else 'wide'}-{'dark' if dark else 'light'}"
    for name, place in (("batches", "batches"), ("batch", f"batches/{made['batch_id']}")):
        await visit.page.goto(f"{visit.url}/#/{place}")
        await expect(visit.page.get_by_text(HOSTILE)).to_be_visible()
        await expect(visit.page.get_by_text("2 completed" if name == "batches" else "3 of 3 jobs")).to_be_visible()
        if name == "batch":
            await expect(visit.page.locator("main [data-job]")).to_have_count(3)
        assert await visit.page.locator("main img").count() == 0
        assert await visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await visit.shot(f"{name}-{look}")
