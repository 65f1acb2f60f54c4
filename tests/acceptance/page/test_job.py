"""The page of one job: its end, its timeline, and what can be done with it."""

import re
from uuid import uuid4

from playwright.async_api import expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.visits import Visit
from tests.support.stacks.system import System

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def opened(visit: Visit, tab: str = "", **parameters: object) -> str:
    """Create a no-op job and open its page."""
    reply = await visit.client.post("/api/jobs/", json={"job_type": "noop", "parameters": parameters})
    assert reply.status_code == 200, reply.text
    job_id = str(reply.json()["data"]["job_id"])
    await visit.page.goto(f"{visit.url}/#/jobs/{job_id}{f'?tab={tab}' if tab else ''}")
    return job_id


async def test_a_failed_job_shows_what_went_wrong_and_what_to_do(page_of: PageOf) -> None:
    visit = await page_of()
    await opened(visit, behaviour="fail", error_code="INVALID_PDF")
    wrong = visit.page.get_by_role("region", name="What went wrong")
    await expect(wrong).to_contain_text("The noop job failed as requested.")
    await expect(wrong).to_contain_text("Open the file in a PDF viewer")
    await expect(wrong).to_contain_text("INVALID_PDF")


async def test_the_timeline_has_each_attempt_with_its_reason(page_of: PageOf) -> None:
    visit = await page_of()
    await opened(visit, "timeline", behaviour="crash", until_attempt=2)
    entries = visit.page.locator(".timeline .entry-title")
    titles = ["Created", "Started", "Failed for now", "Attempt 2 started", "Completed"]
    for title in titles:
        await expect(entries.filter(has_text=re.compile(f"^{title}")).first).to_be_visible()
    await expect(visit.page.locator(".timeline")).to_contain_text("The processor crashed on this input.")


async def test_a_running_job_is_cancelled_after_a_question_and_can_run_again(page_of: PageOf) -> None:
    visit = await page_of()
    job_id = await opened(visit, sleep_s=600)
    await visit.page.get_by_role("button", name="Cancel").click()
    await visit.page.get_by_role("button", name="Keep it").click()
    await expect(visit.page.get_by_role("dialog")).to_have_count(0)
    assert (await visit.client.get(f"/api/jobs/{job_id}")).json()["data"]["status"] != "failed"
    await visit.page.get_by_role("button", name="Cancel").click()
    await visit.page.get_by_role("button", name="Cancel the job").click()
    await expect(visit.page.locator(".job-title")).to_contain_text("Cancelled")
    await visit.page.get_by_role("button", name="Run again").click()
    await expect(visit.page.get_by_role("link", name=job_id)).to_be_visible()
    await visit.page.get_by_role("button", name="Cancel").click()  # its slot is for the next test
    await visit.page.get_by_role("button", name="Cancel the job").click()
    await expect(visit.page.locator(".job-title")).to_contain_text("Cancelled")


async def test_a_job_is_erased_after_a_question_and_leaves_the_list(page_of: PageOf) -> None:
    visit = await page_of()
    job_id = await opened(visit)
    await visit.page.get_by_role("button", name="Erase").click()
    await visit.page.get_by_role("button", name="Erase for good").click()
    await expect(visit.page.get_by_text("No jobs yet")).to_be_visible()
    assert (await visit.client.get(f"/api/jobs/{job_id}")).status_code == 404


async def test_the_job_of_another_owner_and_one_that_does_not_exist_look_the_same(page_of: PageOf) -> None:
    owner, visit = await page_of(), await page_of()
    for job_id in (await opened(owner), f"job-{uuid4()}"):
        await visit.page.goto(f"{visit.url}/#/jobs/{job_id}")
        await expect(visit.page.get_by_role("heading", name="Job not found")).to_be_visible()
        await visit.page.goto(f"{visit.url}/#/jobs")
        await expect(visit.page.get_by_text("No jobs yet")).to_be_visible()


async def test_hostile_texts_and_labels_are_shown_as_text_and_keep_the_layout(page_of: PageOf) -> None:
    visit = await page_of(phone=True)
    script = "<script>globalThis.injected = 1</script><img src=x onerror='globalThis.injected = 2'>"
    text = f"{script}\n\n# [a](javascript:globalThis.injected=3)\n\n\u202eעקד אל\n\n{'w' * 10_000}\n"
    reply = await visit.client.post("/api/files", files={"file": ("hostile.md", text.encode())})
    body = {
        "job_type": "extraction",
        "parameters": {"filename": reply.json()["data"]["filename"], "target_id": f"{script[:60]}{'t' * 60}"},
        "user_id": "\u0627\u0644\u0639\u0642\u062f" + "u" * 80,
    }
    created = await visit.client.post("/api/jobs/", json=body)
    assert created.status_code == 200, created.text
    job_id = created.json()["data"]["job_id"]
    for tab in ("result", "pages", "timeline", "parameters"):
        await visit.page.goto(f"{visit.url}/#/jobs/{job_id}?tab={tab}")
        await expect(visit.page.locator(".job-title")).to_contain_text("Completed")
        await expect(visit.page.get_by_role("tab", selected=True)).to_have_text(re.compile(tab, re.IGNORECASE))
        assert await visit.page.evaluate(OVERFLOW) <= 0, tab
        await visit.shot(f"hostile-{tab}")
    await visit.page.goto(f"{visit.url}/#/jobs/{job_id}?tab=result")
    await expect(visit.page.get_by_text("wwwwwwwwww", exact=False).first).to_be_visible()
    assert await visit.page.locator("main script, main [onerror], main a[href^='javascript']").count() == 0
    assert await visit.page.evaluate("globalThis.injected") is None


async def test_webhooks_are_listed_with_their_answers_and_sent_again(page_of: PageOf, system: System) -> None:
    visit = await page_of()
    await opened(visit, "webhooks", webhook={"url": system.receiver.url(f"/page/{uuid4().hex}")})
    ends = visit.page.locator(".delivery.delivered", has_text="Completed")
    await expect(ends).to_have_count(1)
    await expect(ends).to_contain_text("answered 200")
    await visit.page.get_by_role("button", name="Send again").click()
    await expect(ends).to_have_count(2)


async def test_the_keyboard_alone_leads_from_the_list_through_a_job_and_back(page_of: PageOf) -> None:
    visit = await page_of()
    await opened(visit)
    await expect(visit.page.locator(".job-title")).to_contain_text("Completed")
    keyboard = visit.page.keyboard
    await keyboard.press("?")
    await expect(visit.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await keyboard.press("Escape")
    await keyboard.press("u")
    await expect(visit.page.locator(".row[data-job]")).to_have_count(1)
    await keyboard.press("j")
    await keyboard.press("Enter")
    await visit.page.get_by_role("tab", name="Result").focus()
    await keyboard.press("ArrowRight")
    await expect(visit.page.get_by_role("tab", name="Pages")).to_be_focused()
    await expect(visit.page.get_by_role("tab", name="Pages")).to_have_attribute("aria-selected", "true")
    await keyboard.press("/")
    await expect(visit.page.get_by_role("searchbox", name="Search jobs")).to_be_focused()
    await keyboard.type("noop")
    await keyboard.press("Escape")
    await keyboard.press("n")
    await expect(visit.page.get_by_role("heading", name="New job")).to_be_visible()
