"""The list with a hundred thousand jobs, and over a slow network."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page, Request, expect

from tests.acceptance.page.conftest import PageOf
from tests.support.browser.crowds import crowd
from tests.support.browser.visits import Visit
from tests.support.stacks.system import System

MOST_AT_ONCE = 1000  # jobs in one answer
COUNT = 100_000
FAR = 4_000  # rows that a person scrolls through
MOST_ROWS = 80  # of the document: those in sight, and some beside them
ROWS = ".row[data-job]"


class Lists:
    """The queries of the lists of jobs that a page asks for."""

    def __init__(self, page: Page) -> None:
        self.queries: list[dict[str, list[str]]] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.path == "/api/jobs/" and request.method == "GET":
            self.queries.append(parse_qs(parts.query))


async def last_place(visit: Visit) -> int:
    """The place in the list of the last row that is in the document."""
    shown = await visit.page.locator("li.row-place").last.get_attribute("aria-posinset")
    return int(shown or 0)


async def test_a_hundred_thousand_jobs_are_counted_scrolled_and_searched(page_of: PageOf, system: System) -> None:
    visit = await page_of(link=False)
    lists = Lists(visit.page)
    async with crowd(system.settings.postgres_dsn.get_secret_value(), visit.owner, COUNT) as ids:
        await visit.open_link()
        rows = visit.page.locator(ROWS)
        await expect(rows.first).to_have_attribute("data-job", ids[0])
        await expect(visit.page.locator("li.row-place").first).to_have_attribute("aria-setsize", str(COUNT))
        await expect(visit.page.locator("[data-status=all] .tab-number")).to_have_text(f"{COUNT:,}")
        while (place := await last_place(visit)) < FAR:
            await visit.page.keyboard.press("End")
            await visit.page.wait_for_function(
                "(place) => Number([...document.querySelectorAll('li.row-place')].at(-1).ariaPosInSet) > place",
                arg=place,
            )
            assert await rows.count() <= MOST_ROWS
        seen = visit.page.locator("li.row-place")
        for place in (await seen.evaluate_all("(rows) => rows.map((one) => Number(one.ariaPosInSet))"))[:5]:
            row = visit.page.locator(f'li.row-place[aria-posinset="{place}"] {ROWS}')
            await expect(row).to_have_attribute("data-job", ids[place - 1])
        following = [query["after"][0] for query in lists.queries if "after" in query]
        assert following == sorted(following, key=ids.index), "each page follows the one before"
        assert all(int(query["limit"][0]) <= MOST_AT_ONCE for query in lists.queries), "others are of the newest jobs"
        assert not any("skip" in query for query in lists.queries)
        await visit.page.keyboard.press("Home")
        await expect(rows.first).to_have_attribute("data-job", ids[0])
        await visit.page.get_by_role("button", name=re.compile("^Failed")).click()
        await expect(visit.page.locator("li.row-place").first).to_have_attribute("aria-setsize", str(COUNT // 10))
        await expect(rows.first).to_have_attribute("data-job", ids[9])
        await visit.page.get_by_role("button", name=re.compile("^All")).click()
        await visit.page.get_by_role("searchbox", name="Search jobs").fill(f"pdf place{COUNT}")
        await expect(rows).to_have_count(1)
        await expect(rows.first).to_have_attribute("data-job", ids[-1])
        await expect(visit.page.get_by_text("1 job found.")).to_be_visible()
        await visit.shot("crowd-search")


async def test_over_a_slow_network_the_page_says_what_it_waits_for_and_shows_the_last_search(
    page_of: PageOf, system: System
) -> None:
    visit = await page_of(link=False)
    async with crowd(system.settings.postgres_dsn.get_secret_value(), visit.owner, 300) as ids:
        network = await visit.context.new_cdp_session(visit.page)
        slow = {"offline": False, "latency": 400, "downloadThroughput": 60_000, "uploadThroughput": 30_000}
        await network.send("Network.enable")
        await network.send("Network.emulateNetworkConditions", slow)
        await visit.page.goto(f"{visit.url}/#sign-in={await visit.nonce()}")
        await visit.page.get_by_text("Loading jobs…").wait_for(state="attached")
        rows = visit.page.locator(ROWS)
        await expect(rows.first).to_have_attribute("data-job", ids[0])
        search = visit.page.get_by_role("searchbox", name="Search jobs")
        for typed in ("place1", "place29", "place299"):  # answers overtake each other
            async with visit.page.expect_request(re.compile(f"/api/jobs/.*q={typed}")):
                await search.fill(typed)
        await expect(visit.page.get_by_text("1 job found.")).to_be_visible()
        await expect(rows).to_have_count(1)
        await expect(rows.first).to_have_attribute("data-job", ids[298])
