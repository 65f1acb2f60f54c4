"""What pages of other hosts and injected scripts cannot do."""

import pytest
from playwright.async_api import Response

from tests.acceptance.page.conftest import PageOf
from tests.support.servers.website import Website

POLICY = "content-security-policy"
ATTACK = """async (url) => {
  const results = [];
  for (const [method, path] of [["POST", "/api/jobs/"], ["DELETE", "/api/session"], ["GET", "/api/jobs/"]]) {
    try {
      const body = method === "POST" ? JSON.stringify({job_type: "noop", parameters: {}}) : undefined;
      const answer = await fetch(url + path, {method, body, credentials: "include", mode: "%s"});
      results.push(answer.type === "opaque" ? "hidden" : `${answer.status}`);
    } catch { results.push("blocked"); }
  }
  return results;
}"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_page_of_another_origin_changes_and_reads_nothing(page_of: PageOf, site: Website, host: str) -> None:
    """On 127.0.0.1 the browser sends the cookie along, since ports do not make another site."""
    visit = await page_of()
    foreign = await visit.context.new_page()
    statuses: dict[str, int] = {}
    foreign.on("response", lambda answer: note(answer, statuses))
    address = site.page("/attack", "Attack", "<p>A page that sends requests.</p>")
    await foreign.goto(address.replace("127.0.0.1", host))
    assert await foreign.evaluate(ATTACK % "cors", visit.url) == ["blocked"] * 3
    assert (await foreign.evaluate(ATTACK % "no-cors", visit.url))[0::2] == ["hidden", "hidden"]
    assert statuses["POST"] == (403 if host == "127.0.0.1" else 401)
    listed = (await visit.client.get("/api/jobs/")).json()["data"]
    assert listed["jobs"] == []
    assert await visit.call("GET", "/api/session") == 200


def note(answer: Response, statuses: dict[str, int]) -> None:
    statuses[answer.request.method] = answer.status


async def test_the_page_cannot_be_shown_in_a_frame_of_another_page(page_of: PageOf, site: Website) -> None:
    visit = await page_of()
    foreign = await visit.context.new_page()
    address = site.page("/frame", "Frame", f'<iframe src="{visit.url}/"></iframe>')
    await foreign.goto(address)
    frame = foreign.frames[1]
    assert await frame.evaluate("document.getElementById('root')") is None


async def test_an_injected_script_does_not_run_and_is_reported(page_of: PageOf) -> None:
    visit = await page_of()
    await visit.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "globalThis.injected = true";
          document.body.append(script);
          const image = document.createElement("div");
          image.innerHTML = '<img src="/none" onerror="globalThis.injected = true">';
          document.body.append(image);
        }"""
    )
    await visit.page.wait_for_function("document.querySelector('img').complete")
    assert await visit.page.evaluate("globalThis.injected") is None
    assert any("script-src" in problem for problem in visit.problems)
    visit.problems.clear()


async def test_the_policy_is_on_the_page_and_nothing_on_it_violates_it(page_of: PageOf) -> None:
    visit = await page_of(link=False)
    answer = await visit.page.goto(visit.url)
    assert answer is not None
    assert answer.headers[POLICY].startswith("default-src 'none'; script-src 'self'")
    await visit.open_link()
    assert visit.problems == []
