"""How a person signs in to the page and out of it."""

import re
from urllib.parse import urlsplit

from playwright.async_api import expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.visits import Visit

KEPT = """async () => JSON.stringify([
  location.href, document.cookie, {...localStorage}, {...sessionStorage}, history.state,
  await indexedDB.databases(), await caches.keys(), performance.getEntriesByType("resource").map((one) => one.name),
])"""
"""All that scripts of the page can keep or read, and every address that was requested."""


async def test_a_link_signs_in_once_and_leaves_neither_address_nor_history(page_of: PageOf) -> None:
    visit = await page_of(link=False)
    await visit.page.goto("about:blank")
    nonce = await visit.open_link()
    await expect(visit.page).not_to_have_url(re.compile("sign-in"))
    assert nonce not in await kept(visit)
    await visit.page.go_back()
    assert visit.page.url == "about:blank"
    await visit.page.go_forward()
    await visit.signed_in()

    other = await page_of(link=False)
    await other.page.goto(f"{other.url}/#sign-in={nonce}")
    await expect(other.page.get_by_label("API key", exact=True)).to_be_visible()
    await expect(other.page.get_by_text("This sign-in link was used before")).to_be_visible()


async def test_a_key_signs_in_and_is_kept_nowhere(page_of: PageOf) -> None:
    visit = await page_of(link=False)
    key = visit.client.headers["Authorization"].removeprefix("Bearer ")
    await visit.page.goto(visit.url)
    await visit.page.get_by_label("API key", exact=True).fill(key)
    await visit.page.get_by_role("button", name="Sign in").click()
    await visit.signed_in()
    everything = await kept(visit)
    assert key not in everything
    assert key.partition(".")[2] not in everything
    assert key not in await visit.page.content()
    await visit.page.reload()
    await visit.signed_in()


async def test_a_link_opened_in_a_window_of_another_owner_takes_that_window_over(page_of: PageOf) -> None:
    visit, other = await page_of(), await page_of(link=False)
    await visit.page.goto(f"{visit.url}/#sign-in={await other.nonce()}")
    await expect(visit.page.get_by_text(other.owner)).to_be_visible()
    await expect(visit.page.get_by_text(visit.owner)).to_have_count(0)
    await expect(visit.page).not_to_have_url(re.compile("sign-in"))


async def test_a_wrong_key_is_refused_with_a_sentence(page_of: PageOf) -> None:
    visit = await page_of(link=False)
    await visit.page.goto(visit.url)
    await visit.page.get_by_label("API key", exact=True).fill("pr_wrong")
    await visit.page.get_by_role("button", name="Sign in").click()
    await expect(visit.page.get_by_text("does not know this key")).to_be_visible()


async def test_the_cookie_is_hidden_from_scripts_and_from_other_sites(page_of: PageOf) -> None:
    visit = await page_of()
    (cookie,) = await visit.context.cookies()
    assert cookie["name"] == f"piperoll_session_{urlsplit(visit.url).port}"
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert await visit.page.evaluate("document.cookie") == ""


async def test_a_sign_out_ends_the_session_of_all_windows(page_of: PageOf) -> None:
    visit = await page_of()
    (cookie,) = await visit.context.cookies()
    await visit.page.get_by_role("button", name="Sign out").click()
    await expect(visit.page.get_by_label("API key", exact=True)).to_be_visible()
    assert await visit.context.cookies() == []
    await visit.context.add_cookies([cookie])  # as a copy of it elsewhere
    assert await visit.call("GET", "/api/jobs/") == 401


async def kept(visit: Visit) -> str:
    return str(await visit.page.evaluate(KEPT))
