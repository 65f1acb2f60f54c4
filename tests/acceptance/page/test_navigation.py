"""The navigation: all entries at the side of a wide screen; on a phone a bar of five, of which one is a menu."""

import pytest
from playwright.async_api import Locator, expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.accessibility import findings
from tests.support.browser.visits import Visit

NARROW = {"width": 360, "height": 740}
PLACES = {
    "Jobs": "Jobs",
    "Documents": "Documents",
    "New job": "New job",
    "Batches": "Batches",
    "Templates": "Templates",
}


def main_of(visit: Visit) -> Locator:
    return visit.page.get_by_role("navigation", name="Main")


async def test_every_entry_leads_to_its_place_on_a_wide_screen(page_of: PageOf) -> None:
    visit = await page_of()
    await expect(main_of(visit).get_by_role("button", name="More")).to_be_hidden()
    for name in PLACES:
        link = main_of(visit).get_by_role("link", name=name, exact=True)
        await link.click()
        await expect(visit.page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()
        await expect(link).to_have_attribute("aria-current", "page")
        assert await visit.page.title() == f"{name} · Piperoll"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_narrow_phone_has_a_bar_of_five_of_which_one_shows_the_others(page_of: PageOf, dark: bool) -> None:
    visit = await page_of(None, "admin", phone=True, dark=dark)
    await visit.page.set_viewport_size(NARROW)
    more = main_of(visit).get_by_role("button", name="More")
    assert await main_of(visit).locator("a:visible, button:visible").count() == 5
    await more.tap()
    await expect(more).to_have_attribute("aria-expanded", "true")
    await visit.shot(f"more-{'dark' if dark else 'light'}")
    assert await findings(visit.page) == []
    assert await visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await main_of(visit).get_by_role("link", name="Templates").tap()
    await expect(visit.page.get_by_role("heading", name="Templates", level=1)).to_be_visible()
    await expect(main_of(visit).get_by_role("link", name="Templates")).to_be_hidden()
    await expect(more).to_have_attribute("aria-current", "true")


async def test_the_menu_is_opened_closed_and_left_with_the_keyboard(page_of: PageOf) -> None:
    visit = await page_of(phone=True)
    await visit.page.set_viewport_size(NARROW)
    more = main_of(visit).get_by_role("button", name="More")
    templates = main_of(visit).get_by_role("link", name="Templates")
    keyboard = visit.page.keyboard
    await more.focus()
    await keyboard.press("Enter")
    await keyboard.press("Tab")
    await expect(templates).to_be_focused()
    await keyboard.press("Escape")
    await expect(more).to_be_focused()
    await expect(templates).to_be_hidden()
    await keyboard.press("Space")
    await expect(templates).to_be_visible()
    await keyboard.press("Shift+Tab")
    await expect(templates).to_be_hidden()
    await more.focus()
    await keyboard.press("Enter")
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await expect(visit.page.get_by_role("heading", name="Templates", level=1)).to_be_visible()
