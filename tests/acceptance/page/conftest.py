"""The page in a real Chromium, against the system of the session.

`page_of` opens the page for an owner, signed in by a link. A visit that had problems (`Visit.problems`) fails its test;
one that expects some empties the list. The page of a failed test is in `build/screenshots/failed-….png`.
"""

import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any, Protocol
from uuid import uuid4

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.support.browser.visits import Visit
from tests.support.stacks.system import System
from tests.support.tools import wait_for
from tests.support.waiting import PATIENCE_S

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
OUTCOME = pytest.StashKey[bool]()


class PageOf(Protocol):
    """Opens the page for an owner; see `page_of`."""

    async def __call__(
        self, owner: str | None = None, *scopes: str, phone: bool = False, dark: bool = False, link: bool = True
    ) -> Visit: ...


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The Chromium of this machine, without a window."""
    program = shutil.which("chromium")
    if program is None:
        wait_for("chromium: install it, for example with apt-get install chromium")
    expect.set_options(timeout=PATIENCE_S * 1000)
    async with async_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []  # its sandbox needs another account
        browser = await playwright.chromium.launch(executable_path=program, args=root)
        yield browser
        await browser.close()


@pytest.fixture
async def page_of(chromium: Browser, system: System, request: pytest.FixtureRequest) -> AsyncIterator[PageOf]:
    """Open the page for an owner, a new one by default, with a key of these scopes.

    `phone` for the width of a phone, `dark` for the dark colours, without `link` the page is not opened.
    """
    visits: list[Visit] = []
    async with AsyncExitStack() as stack:

        async def visit(
            owner: str | None = None, *scopes: str, phone: bool = False, dark: bool = False, link: bool = True
        ) -> Visit:
            owner = owner or f"visitor-{uuid4().hex[:8]}"
            client = await stack.enter_async_context(system.client_of(owner, *scopes))
            look: dict[str, Any] = {"viewport": PHONE, "has_touch": True} if phone else {"viewport": WIDE}
            context = await chromium.new_context(
                **look, color_scheme="dark" if dark else "light", locale="en-GB", reduced_motion="reduce"
            )
            stack.push_async_callback(context.close)
            context.set_default_timeout(PATIENCE_S * 1000)
            made = Visit(await context.new_page(), system.stack.api_url, owner, client)
            visits.append(made)
            await made.watch()
            if link:
                await made.open_link()
            return made

        yield visit
        for number, made in enumerate(visits):
            if request.node.stash.get(OUTCOME, False):
                await made.shot(f"failed-{re.sub(r'[^a-z0-9]+', '-', request.node.name.lower())}-{number}")
    assert [problem for made in visits for problem in made.problems] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[OUTCOME] = report.failed
    return report
