"""The list of jobs: live, filtered, and with the names that people and attackers choose."""

import re

from playwright.async_api import Locator, expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.visits import Visit

HOSTILE = ["<script>globalThis.injected = 1</script>", "عقد الإيجار", "x" * 200, "\u202egnp.exe", "a\u0301" * 60]
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth > innerWidth"


async def created(visit: Visit, **parameters: object) -> str:
    body = {"job_type": "noop", "parameters": parameters}
    reply = await visit.client.post("/api/jobs/", json=body)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["data"]["job_id"])


def row(visit: Visit, job_id: str) -> Locator:
    return visit.page.locator(f'[data-job="{job_id}"]')


async def test_a_job_appears_runs_and_ends_in_the_list_without_a_reload(page_of: PageOf) -> None:
    visit = await page_of()
    await expect(visit.page.get_by_text("No jobs yet")).to_be_visible()
    job_id = await created(visit, sleep_s=2, steps=20)
    await expect(row(visit, job_id).get_by_text("Running")).to_be_visible()
    await expect(row(visit, job_id).get_by_role("progressbar")).to_be_visible()
    await expect(row(visit, job_id).get_by_text("Completed")).to_be_visible()
    await expect(visit.page.locator("[data-status=completed] .tab-number")).to_have_text("1")


async def test_a_filter_shows_only_its_jobs_and_lets_go_of_those_that_change(page_of: PageOf) -> None:
    visit = await page_of()
    good, bad = await created(visit), await created(visit, behaviour="fail")
    await visit.page.get_by_role("button", name=re.compile("^Failed")).click()
    await expect(row(visit, bad)).to_be_visible()
    await expect(row(visit, good)).to_have_count(0)
    await expect(row(visit, bad)).to_contain_text("The noop job failed as requested.")
    await visit.client.delete(f"/api/jobs/{bad}")
    await expect(visit.page.get_by_text("No jobs match")).to_be_visible()


async def test_a_search_finds_by_user_and_an_id_leads_to_its_job(page_of: PageOf) -> None:
    visit = await page_of()
    body = {"job_type": "noop", "parameters": {}, "user_id": "ada"}
    job_id = (await visit.client.post("/api/jobs/", json=body)).json()["data"]["job_id"]
    other = await created(visit)
    await expect(row(visit, other)).to_be_visible()
    search = visit.page.get_by_role("searchbox", name="Search jobs")
    await search.fill("ADA")
    await expect(row(visit, other)).to_have_count(0)
    await expect(row(visit, job_id)).to_be_visible()
    await expect(visit.page.get_by_text("1 job found.")).to_be_visible()
    await search.fill("<script> ada' & | :*")
    await expect(visit.page.get_by_text("No jobs match")).to_be_visible()
    await search.fill(other)
    await expect(visit.page).to_have_url(re.compile(other))


async def test_a_search_finds_by_the_text_also_a_job_that_ends_while_it_is_shown(page_of: PageOf) -> None:
    visit = await page_of()
    search = visit.page.get_by_role("searchbox", name="Search jobs")
    await search.fill("exchequer")
    await expect(visit.page.get_by_text("No jobs match")).to_be_visible()
    reply = await visit.client.post("/api/files", files={"file": ("rolls.txt", b"Accounts of the Exchequer, 1130.")})
    body = {"job_type": "extraction", "parameters": {"filename": reply.json()["data"]["filename"]}}
    job_id = (await visit.client.post("/api/jobs/", json=body)).json()["data"]["job_id"]
    await expect(row(visit, job_id)).to_contain_text("rolls.txt")
    await expect(visit.page.locator("[data-status=completed] .tab-number")).to_have_text("1")


async def test_hostile_names_are_text_and_keep_the_layout_also_on_a_phone(page_of: PageOf) -> None:
    visit = await page_of(phone=True, dark=True)
    for name in HOSTILE:
        reply = await visit.client.post("/api/files", files={"file": (f"{name}.txt", b"A text.")})
        stored = reply.json()["data"]["filename"]
        body = {"job_type": "extraction", "parameters": {"filename": stored}}
        answer = await visit.client.post("/api/jobs/", json=body)
        assert answer.status_code == 200, answer.text
    await expect(visit.page.locator(".row[data-job]")).to_have_count(len(HOSTILE))
    await expect(visit.page.get_by_text("عقد الإيجار")).to_be_visible()
    assert not await visit.page.evaluate(WIDER_THAN_THE_WINDOW)
    for index in range(len(HOSTILE)):
        await visit.page.locator(".row[data-job]").nth(index).click()
        await expect(visit.page.get_by_role("heading", level=1)).to_be_visible()
        assert not await visit.page.evaluate(WIDER_THAN_THE_WINDOW)
        await visit.page.get_by_role("link", name="All jobs").click()
    assert await visit.page.evaluate("globalThis.injected") is None


async def test_the_theme_follows_the_system_until_another_is_chosen(page_of: PageOf) -> None:
    visit = await page_of(dark=True)
    # A colour changes in a transition, however short.
    ended = "Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {})))"
    background = f"{ended}.then(() => getComputedStyle(document.body).backgroundColor)"
    dark = await visit.page.evaluate(background)
    await visit.page.get_by_role("button", name="Theme: as the system").click()
    await expect(visit.page.get_by_role("button", name="Theme: light")).to_be_visible()
    await expect(visit.page.locator("body")).not_to_have_css("background-color", dark)
    light = await visit.page.evaluate(background)
    assert sum(map(int, re.findall(r"\d+", light)[:3])) > 600 > 150 > sum(map(int, re.findall(r"\d+", dark)[:3]))
    await visit.page.reload()
    await visit.signed_in()
    assert await visit.page.evaluate(background) == light


async def test_a_lost_connection_is_shown_and_what_happened_meanwhile_appears_after_it(page_of: PageOf) -> None:
    visit = await page_of()
    await expect(visit.page.get_by_text("Live", exact=True)).to_be_visible()
    await visit.context.set_offline(True)
    await expect(visit.page.get_by_text("The connection to the server was lost", exact=False).first).to_be_visible()
    job_id = await created(visit)
    await visit.context.set_offline(False)
    await expect(visit.page.get_by_text("Live", exact=True)).to_be_visible()
    await expect(row(visit, job_id).get_by_text("Completed")).to_be_visible()
