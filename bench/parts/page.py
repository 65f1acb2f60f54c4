"""The page in a Chromium of this machine, over many jobs: until it paints and shows them, and how fast it reacts."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import httpx

from bench.report import Row, SkippedError, Table, at_most
from bench.rig import Rig, started

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

JOBS = 10_000
ROUNDS = 7
PAINT_MS = 1000  # the aims: the first paint, and the slowest reaction
REACTION_MS = 100
ROW = ".row[data-job]"
WATCH = f"""
globalThis.reactions = [];
new PerformanceObserver((list) => {{
  const found = list.getEntries().filter((entry) => entry.interactionId);
  globalThis.reactions.push(...found.map((entry) => [entry.duration, entry.name]));
}}).observe({{ type: "event", durationThreshold: 16, buffered: true }});
new MutationObserver((_, observer) => {{
  if (!document.querySelector("{ROW}")) return;
  globalThis.listed = performance.now();
  observer.disconnect();
}}).observe(document, {{ childList: true, subtree: true }});
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


async def measure(data: Path) -> Table:
    """Measure in a Chromium without a window. Raises SkippedError without one."""
    async with _chromium() as browser, started(data) as rig:
        await rig.run(rig.order("noop", [{}] * JOBS), timeout_s=600)
        cold = [await _loaded_cold(rig, browser) for _ in range(ROUNDS)]
        async with _signed_in(rig, browser) as page:
            warm = [await _reloaded(page) for _ in range(ROUNDS)]
            slowest, detail = await _reactions(page)
    rows: list[Row] = []
    for name, found in (("cold", cold), ("warm", warm)):
        for number, what in enumerate(("first contentful paint", "first jobs shown")):
            times = [one[number] for one in found]
            rows.append(at_most(f"{what}, {name}", median(times), PAINT_MS, f"{max(times):.0f} ms at most"))
    rows.append(at_most("slowest reaction", slowest, REACTION_MS, detail))
    note = (
        f"An owner with {JOBS:,} jobs; median of {ROUNDS} loads. Cold: an empty cache, and a sign-in by a link. Warm: "
        "a reload. Reactions: from a key or click until the next paint, as the browser times events, while the list is "
        "scrolled, filtered and searched, and a job is opened and left. Browser and system share this machine."
    )
    return Table("The page in a browser", ("What", "Measured", "Aim", "Reached", "Detail"), rows, note)


@asynccontextmanager
async def _chromium() -> "AsyncIterator[Browser]":
    program = shutil.which("chromium")
    if program is None:
        raise SkippedError("the page is not measured: install chromium, for example with apt-get install chromium")
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []  # its sandbox needs another account
        browser = await playwright.chromium.launch(executable_path=program, args=root)
        yield browser
        await browser.close()


@asynccontextmanager
async def _signed_in(rig: Rig, browser: "Browser") -> "AsyncIterator[Page]":
    """A page with an empty cache that shows the first jobs after a sign-in."""
    context: BrowserContext = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.add_init_script(WATCH)
    headers = {"Authorization": f"Bearer {rig.stack.api_key}"}
    async with httpx.AsyncClient(base_url=rig.stack.api_url, headers=headers, trust_env=False) as client:
        nonce = (await client.post("/api/session/nonces")).raise_for_status().json()["data"]["nonce"]
    await page.goto(f"{rig.stack.api_url}/#sign-in={nonce}")
    await page.wait_for_selector(ROW)
    yield page
    await context.close()


async def _loaded_cold(rig: Rig, browser: "Browser") -> tuple[float, float]:
    async with _signed_in(rig, browser) as page:
        return await _times(page)


async def _reloaded(page: "Page") -> tuple[float, float]:
    await page.reload()
    await page.wait_for_selector(ROW)
    return await _times(page)


async def _times(page: "Page") -> tuple[float, float]:
    """The milliseconds from the beginning of the load until something was painted, and until jobs were shown."""
    return await page.evaluate(PAINTED), await page.evaluate("globalThis.listed")


async def _reactions(page: "Page") -> tuple[float, str]:
    """Use the list as a person does; return the slowest reaction in milliseconds, and a line about all of them."""
    for _ in range(20):
        await page.keyboard.press("End")
        await page.keyboard.press("PageUp")
    await page.keyboard.press("Home")
    for status in ("completed", "failed", "all"):
        await page.click(f"[data-status={status}]")
    await page.wait_for_selector(ROW)
    await page.fill("#search", "")
    await page.type("#search", "noop", delay=60)
    await page.press("#search", "Escape")
    await page.wait_for_selector(ROW)
    for _ in range(5):
        await page.locator(ROW).nth(1).click()
        await page.wait_for_selector(".job-title")
        await page.keyboard.press("u")
        await page.wait_for_selector(ROW)
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))")
    found: list[tuple[float, str]] = [tuple(one) for one in await page.evaluate("globalThis.reactions")]
    slowest, event = max(found, default=(16.0, "none"))
    slow = sum(took > REACTION_MS for took, _ in found)
    return slowest, f"{event}; {len(found)} took 16 ms or more, {slow} more than {REACTION_MS} ms"
