"""Endpoints, signing keys, API keys and limits on the page."""

import re

import httpx
import pytest
from playwright.async_api import Locator, expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.accessibility import findings
from tests.support.browser.visits import Visit
from tests.support.servers.receiver import status
from tests.support.stacks.system import System
from tests.support.waiting import PATIENCE_S, wait_until

PLACES = {"webhooks": "#/connections", "keys": "#/connections/keys", "limits": "#/connections/limits"}


async def go(visit: Visit, place: str, title: str) -> None:
    await visit.page.goto(f"{visit.url}/{PLACES[place]}")
    await expect(visit.page.get_by_role("heading", name=title, exact=True)).to_be_visible()


def part(visit: Visit, title: str) -> Locator:
    return visit.page.get_by_role("region", name=title, exact=True)


async def test_a_key_is_shown_once_works_and_is_ended_with_a_confirmation(page_of: PageOf) -> None:
    visit = await page_of(None, "admin")
    await go(visit, "keys", "API keys")
    owner = f"{visit.owner}-reader"
    await visit.page.get_by_label("Owner", exact=True).fill(owner)
    await visit.page.get_by_role("button", name="Make a key").click()
    await expect(visit.page.get_by_text("Choose at least one scope.")).to_be_visible()
    await visit.page.get_by_label("read Read alone").check()
    await visit.page.get_by_role("button", name="Make a key").click()
    key = await visit.page.locator("[data-secret]").inner_text()

    async def answered() -> int:
        async with httpx.AsyncClient(base_url=visit.url, headers={"Authorization": f"Bearer {key}"}) as client:
            return (await client.get("/api/jobs/")).status_code

    assert await answered() == 200
    await visit.page.get_by_role("button", name="I have stored it").click()
    assert key not in await visit.page.content()
    await visit.page.reload()
    row = visit.page.get_by_role("listitem").filter(has_text=owner)
    await expect(row).to_contain_text("Active")
    assert key.partition(".")[2] not in await visit.page.content()

    await row.get_by_role("button", name="End").click()
    await visit.page.get_by_role("button", name="Keep it").click()
    assert await answered() == 200
    await row.get_by_role("button", name="End").click()
    await visit.page.get_by_role("button", name="End the key").click()
    await expect(row).to_have_count(0)

    async def refused() -> bool:
        return await answered() == 401

    await wait_until(refused, PATIENCE_S, "the key to be refused")
    await visit.page.get_by_label("ended key").check()
    await expect(row).to_contain_text("Ended")
    await expect(row.get_by_role("button")).to_have_count(0)


async def test_a_rotated_key_works_until_its_overlap_ends_and_the_own_key_is_marked(page_of: PageOf) -> None:
    visit = await page_of(None, "admin")
    await go(visit, "keys", "API keys")
    row = visit.page.get_by_role("listitem").filter(has_text=visit.owner)
    await expect(row).to_contain_text("your key")
    await expect(row.get_by_role("button", name="End")).to_have_count(0)
    await row.get_by_role("button", name="Rotate").click()
    await visit.page.get_by_label("How long the old key works").select_option("An hour")
    await visit.page.get_by_role("button", name="Make the new key").click()
    await expect(visit.page.locator("[data-secret]")).to_contain_text("pr_")
    await expect(row.filter(has_text="your key")).to_contain_text("Ending")
    await expect(row).to_have_count(2)
    assert (await visit.client.get("/api/keys")).status_code == 200


async def test_an_endpoint_is_registered_diagnosed_and_deleted(page_of: PageOf, system: System) -> None:
    visit = await page_of()
    await go(visit, "webhooks", "Endpoints")
    endpoints, trial = part(visit, "Endpoints"), part(visit, "Test a webhook")
    url = system.receiver.url(f"/{visit.owner}")
    await expect(endpoints).to_contain_text("No endpoint is registered.")
    await endpoints.get_by_label("Address").fill("nowhere")
    await endpoints.get_by_role("button", name="Register").click()
    await expect(endpoints).to_contain_text("That is not an address")
    await endpoints.get_by_label("Address").fill(url)
    await endpoints.get_by_label("Failed").check()
    await endpoints.get_by_role("button", name="Register").click()
    await expect(visit.page.locator("[data-secret]")).to_contain_text("whsec_")
    await visit.page.get_by_role("button", name="I have stored it").click()
    await expect(visit.page.locator("[data-secret]")).to_have_count(0)
    row = endpoints.get_by_role("listitem").filter(has_text=url)
    await expect(row).to_contain_text("Failed")

    await row.get_by_role("button", name="Diagnose").click()
    await trial.get_by_role("button", name="Test").click()
    await expect(trial).to_contain_text("The webhook arrived.")
    await expect(trial.get_by_text("passed", exact=True)).to_have_count(5)
    system.receiver.answers(f"/{visit.owner}", status(500))
    await trial.get_by_role("button", name="Test").click()
    await expect(trial).to_contain_text("The webhook did not arrive.")
    await expect(trial.get_by_role("listitem").filter(has_text="failed here")).to_have_text(re.compile("2xx"))
    await expect(trial).to_contain_text("HTTP_STATUS")

    await row.get_by_role("button", name="Delete").click()
    await visit.page.get_by_role("button", name="Delete the endpoint").click()
    await expect(endpoints).to_contain_text("No endpoint is registered.")


async def test_signing_keys_are_rotated_and_ended_and_a_secret_is_hidden_until_it_is_wanted(page_of: PageOf) -> None:
    visit = await page_of(None, "admin")
    await go(visit, "webhooks", "Signing keys")
    keys = part(visit, "Signing keys")
    rows = keys.get_by_role("listitem")
    await expect(keys.get_by_role("button", name="Rotate")).to_be_visible()
    before = await rows.count()
    await keys.get_by_role("button", name="Rotate").click()
    await expect(rows).to_have_count(before + 1)
    assert "whsec_" not in await keys.inner_text()
    await rows.first.get_by_role("button", name="Show the secret").click()
    await expect(rows.first).to_contain_text("whsec_")
    ended = await rows.first.locator(".thing-name").inner_text()
    await rows.first.get_by_role("button", name="End at once").click()
    await visit.page.get_by_role("button", name="End the key").click()
    await expect(keys).not_to_contain_text(ended)


async def test_a_caller_without_admin_sees_no_keys_and_a_sentence_at_their_address(page_of: PageOf) -> None:
    visit = await page_of()
    await go(visit, "webhooks", "Endpoints")
    places = visit.page.get_by_role("navigation", name="Parts of the connections")
    await expect(places.get_by_role("link", name="Limits")).to_be_visible()
    await expect(places.get_by_role("link", name="API keys")).to_have_count(0)
    await expect(part(visit, "Signing keys")).to_contain_text("callers with the scope admin")
    await go(visit, "keys", "API keys")
    await expect(visit.page.get_by_role("alert").first).to_contain_text("admin")
    await expect(visit.page.get_by_role("button", name="Make a key")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_parts_fit_a_narrow_phone_and_have_no_serious_findings(page_of: PageOf, dark: bool) -> None:
    visit = await page_of(None, "admin", phone=True, dark=dark)
    await visit.page.set_viewport_size({"width": 360, "height": 780})
    for place, title in (("webhooks", "Endpoints"), ("keys", "API keys"), ("limits", "Limits")):
        await go(visit, place, title)
        await expect(visit.page.get_by_text("Loading…")).to_have_count(0)
        assert await visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await findings(visit.page) == []


async def test_the_limits_show_what_the_owner_uses(page_of: PageOf) -> None:
    visit = await page_of()
    await go(visit, "limits", "Limits")
    meter = visit.page.get_by_role("progressbar", name="Open jobs")
    await expect(meter).to_have_attribute("aria-valuenow", "0")
    await expect(visit.page.get_by_role("listitem").filter(has_text="Open jobs")).to_contain_text(
        re.compile(r"0 of [\d,]+")
    )


async def test_a_key_is_made_with_the_keyboard_alone(page_of: PageOf) -> None:
    visit = await page_of(None, "admin")
    await go(visit, "keys", "API keys")
    keyboard = visit.page.keyboard
    await visit.page.get_by_label("Owner", exact=True).focus()
    await keyboard.press("ControlOrMeta+a")
    await keyboard.type(f"{visit.owner}-keys")
    await keyboard.press("Tab")  # to the end, and to the first scope
    await keyboard.press("Tab")
    await keyboard.press("Space")
    await keyboard.press("Enter")
    await expect(visit.page.get_by_role("region", name="The new API key")).to_be_focused()
    await keyboard.press("Tab")
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await expect(visit.page.locator("[data-secret]")).to_have_count(0)
    await expect(visit.page.get_by_role("listitem").filter(has_text=f"{visit.owner}-keys")).to_contain_text("jobs")
