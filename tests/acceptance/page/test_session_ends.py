"""The page after the key of its session has ended."""

import time

from playwright.async_api import expect

from piperoll import keys
from piperoll.postgres import connect_pool
from tests.acceptance.page.conftest import PageOf
from tests.support.stacks.system import System
from tests.support.waiting import PATIENCE_S, wait_until

HEARD_S = 2.0


async def test_the_session_ends_with_its_key_within_two_seconds_and_the_page_asks_to_sign_in(
    page_of: PageOf, system: System
) -> None:
    visit, staying = await page_of(), await page_of()
    assert await visit.call("GET", "/api/jobs/") == 200
    key_id = visit.client.headers["Authorization"].removeprefix("Bearer pr_").partition(".")[0]
    pool = await connect_pool(system.settings.postgres_dsn.get_secret_value())
    await keys.revoke(pool, key_id)
    began = time.monotonic()

    async def refused() -> bool:
        return await visit.call("GET", "/api/jobs/") == 401

    await wait_until(refused, PATIENCE_S, "the API to refuse the session")
    assert time.monotonic() - began < HEARD_S
    await pool.close()
    assert await staying.call("GET", "/api/jobs/") == 200
    await visit.page.reload()
    await expect(visit.page.get_by_label("API key", exact=True)).to_be_visible()
