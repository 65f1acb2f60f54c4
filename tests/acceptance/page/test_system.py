"""The installation as an administrator sees it on the page, and in the terminal."""

import json
import re
from uuid import uuid4

import pytest
from playwright.async_api import Locator, expect

from tests.acceptance.page.conftest import PageOf
from tests.acceptance.page.test_looks import OVERFLOW
from tests.support.browser.accessibility import findings
from tests.support.browser.visits import Visit
from tests.support.clients.commands import piperoll
from tests.support.poison.misplaced import misplaced_job
from tests.support.servers.receiver import status
from tests.support.stacks.system import System
from tests.support.waiting import PATIENCE_S, wait_until

FIRST_COMMIT_MS = 30_000  # positions and slots are committed every 5 s, from the start of a process on
NARROW = {"width": 360, "height": 740}


async def go(visit: Visit) -> None:
    await visit.page.goto(f"{visit.url}/#/system")
    await expect(visit.page.get_by_role("heading", name="System", exact=True)).to_be_visible()
    await expect(visit.page.get_by_role("heading", name="Last verification")).to_be_visible()


def part(visit: Visit, title: str) -> Locator:
    return visit.page.locator("section").filter(has=visit.page.get_by_role("heading", name=title, exact=True))


async def test_services_queue_and_plots_are_shown_and_follow_what_happens(page_of: PageOf, system: System) -> None:
    visit = await page_of(None, "admin")
    await visit.page.get_by_role("link", name="System", exact=True).click()
    services = part(visit, "Services")
    for name in ("API", "Worker", "Projector", "Notifier"):
        await expect(services.get_by_role("rowheader", name=name)).to_be_visible()
    slots = services.locator('[data-service="worker"]')
    await expect(slots).to_contain_text(re.compile(r"\d+ of \d+"), timeout=FIRST_COMMIT_MS)
    await expect(services).not_to_contain_text("none runs")

    sleeping = {"job_type": "noop", "parameters": {"sleep_s": 600, "steps": 1000}}
    job_id = (await visit.client.post("/api/jobs/", json=sleeping)).json()["data"]["job_id"]
    row = part(visit, "Queue").get_by_role("row").filter(has_text=visit.owner)
    await expect(row).to_contain_text("noop")
    assert (await visit.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
    await expect(row).to_have_count(0)

    plots = part(visit, "Ended jobs")
    await expect(plots.get_by_role("img", name=re.compile("Jobs ended in a minute"))).to_be_visible()
    await plots.get_by_text("Show the numbers").first.press("Enter")
    await expect(plots.get_by_role("columnheader", name="Cancelled")).to_be_visible()
    await expect(plots.locator("rect.bar-cancelled").first).to_be_attached()
    await plots.get_by_role("button", name="Last day").press("Enter")
    await expect(plots.get_by_role("img", name=re.compile("Jobs ended in an hour"))).to_be_visible()
    assert await findings(visit.page) == []


async def test_a_dead_letter_is_put_back_after_a_confirmation(page_of: PageOf, system: System) -> None:
    visit = await page_of(None, "admin")
    await go(visit)
    key = f"job-{uuid4()}"
    place = await misplaced_job(system.settings, key, visit.owner)
    letter = visit.page.locator(f'[data-letter="jobs-{place.partition}-{place.offset}"]')
    await expect(letter).to_contain_text(key)
    back = letter.get_by_role("button", name=re.compile("Put back jobs-"))
    await back.press("Enter")
    await visit.page.get_by_role("button", name="Leave it").press("Enter")
    await expect(back).to_be_focused()
    await back.press("Enter")
    await expect(visit.page.get_by_role("dialog")).to_contain_text("The audit notes who asked.")
    assert await findings(visit.page) == []
    await visit.page.locator('[data-answer="yes"]').click()
    await expect(letter).to_have_count(0)
    await expect(visit.page.locator("#content")).to_be_focused()
    await expect(visit.page.get_by_text("1 record was put back.").first).to_be_visible()
    assert (await visit.client.get(f"/api/jobs/{key}?wait=10")).status_code == 200


async def test_a_failing_receiver_is_shown_with_its_last_answer(page_of: PageOf, system: System) -> None:
    visit = await page_of(None, "admin")
    path = f"/{visit.owner}"
    system.receiver.answers(path, *(status(503) for _ in range(50)))
    body = {"job_type": "noop", "parameters": {"webhook": {"url": system.receiver.url(path)}}}
    assert (await visit.client.post("/api/jobs/", json=body)).status_code == 200
    await go(visit)
    row = part(visit, "Failing receivers").get_by_role("listitem").filter(has_text=visit.owner)
    await expect(row).to_contain_text(system.receiver.origin)
    await expect(row).to_contain_text("HTTP_STATUS 503")
    await expect(visit.page.locator('[data-tile="receivers"]')).to_have_class(re.compile("warn"))


async def test_a_verification_is_shown_with_its_verdict(page_of: PageOf, system: System) -> None:
    visit = await page_of(None, "admin")
    ended = await piperoll("verify", folder=system.stack.data_dir)
    assert ended.code in (0, 1), ended
    await go(visit)
    verdict = "Holds" if ended.code == 0 else "Violated"
    await expect(part(visit, "Last verification")).to_contain_text(verdict)
    await expect(visit.page.locator('[data-tile="verify"]')).to_contain_text(verdict)


async def test_a_caller_without_admin_has_no_link_and_a_sentence_at_the_address(page_of: PageOf) -> None:
    visit = await page_of()
    await expect(visit.page.get_by_role("link", name="System", exact=True)).to_have_count(0)
    await visit.page.goto(f"{visit.url}/#/system")
    await expect(visit.page.get_by_role("alert")).to_contain_text("admin")
    await expect(visit.page.get_by_role("heading", name="Services")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
async def test_the_view_fits_and_is_accessible(page_of: PageOf, narrow: bool, dark: bool, system: System) -> None:
    visit = await page_of(None, "admin", phone=narrow, dark=dark)
    if narrow:
        await visit.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    await system.wait_for_end(await system.create())
    await misplaced_job(system.settings, f"job-{uuid4()}")
    await go(visit)
    await expect(part(visit, "Ended jobs").locator("rect").first).to_be_attached()
    await expect(part(visit, "Dead letters").get_by_role("listitem").first).to_be_visible()
    look = f"{'narrow' if narrow else 'wide'}-{'dark' if dark else 'light'}"
    await visit.page.screenshot(path=(await visit.shot(f"system-{look}")), full_page=True, animations="disabled")
    assert await findings(visit.page) == []
    assert await visit.page.evaluate(OVERFLOW) <= 0


async def test_the_terminal_shows_the_same(system: System) -> None:
    async def counted() -> bool:
        shown = await piperoll("system", folder=system.stack.data_dir)
        return shown.code == 0 and all(name in shown.out for name in ("worker", "projector", "notifier", "verify"))

    await wait_until(counted, PATIENCE_S, "all services to be shown")
    found = json.loads((await piperoll("system", "--json", folder=system.stack.data_dir)).out)
    assert {one["service"] for one in found["services"]} == {"api", "worker", "projector", "notifier"}
    assert found["unknown"] == {}
