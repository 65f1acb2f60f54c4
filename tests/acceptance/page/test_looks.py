"""The page on a phone and on a wide screen, light and dark: nothing overflows, and axe finds nothing serious."""

import pytest

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.accessibility import findings

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
async def test_the_form_and_the_empty_page_fit_and_are_accessible(page_of: PageOf, phone: bool, dark: bool) -> None:
    visit = await page_of(link=False, phone=phone, dark=dark)
    look = f"{'phone' if phone else 'wide'}-{'dark' if dark else 'light'}"
    await visit.page.goto(visit.url)
    await visit.page.get_by_role("button", name="Sign in").wait_for()
    await visit.shot(f"sign-in-{look}")
    assert await findings(visit.page) == []
    assert await visit.page.evaluate(OVERFLOW) <= 0  # below 0: the room of a scroll bar
    await visit.open_link()
    await visit.page.get_by_role("heading", name="No jobs yet").wait_for()
    await visit.shot(f"jobs-empty-{look}")
    assert await findings(visit.page) == []
    assert await visit.page.evaluate(OVERFLOW) <= 0  # below 0: the room of a scroll bar
