"""A visit of the page in a real Chromium: its own cookies and storage, and what went wrong in it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request

from tests.support.repository import ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"
"""Where `Visit.shot` writes; ignored by git."""
REFUSED = "Failed to load resource: the server responded with a status of"
"""Chromium reports each answer of 400 and more; tests judge those by what the page shows."""
CUT = "Failed to load resource: net::ERR_"
WATCH_POLICY = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} does not allow ${event.blockedURI} at ${event.sourceFile}`));
"""


@dataclass
class Visit:
    """One person at the page of a running system. `client` has a key of the same owner, to prepare things."""

    page: Page
    url: str
    owner: str
    client: httpx.AsyncClient
    problems: list[str] = field(default_factory=list)
    """Errors and warnings of the console, uncaught errors, violations of the policy, requests to other hosts."""

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    async def watch(self) -> None:
        """Note problems from now on. To be called before the page is loaded."""
        await self.context.add_init_script(WATCH_POLICY)
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        self.page.on("request", self._note_request)

    async def open_link(self) -> str:
        """Open the page by a new one-time link; return its nonce."""
        nonce = await self.nonce()
        await self.page.goto(f"{self.url}/#sign-in={nonce}")
        await self.signed_in()
        return nonce

    async def nonce(self) -> str:
        """A nonce of the owner's key."""
        reply = await self.client.post("/api/session/nonces")
        assert reply.status_code == 200, reply.text
        return str(reply.json()["data"]["nonce"])

    async def signed_in(self) -> None:
        """Wait until the page shows what a signed-in person sees."""
        await self.page.get_by_role("navigation").first.wait_for()

    async def call(self, method: str, path: str, body: Any = None) -> int:
        """The status of a request that a script of the page sends."""
        status: int = await self.page.evaluate(
            """async ([method, path, body]) => {
                const options = {method, headers: {"Content-Type": "application/json"}};
                if (body !== null) options.body = JSON.stringify(body);
                return (await fetch(path, options)).status;
            }""",
            [method, path, body],
        )
        return status

    async def shot(self, name: str) -> Path:
        """Write a screenshot of what is visible."""
        path = SCREENSHOTS / f"{name}.png"
        await self.page.screenshot(path=path, animations="disabled")
        return path

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith((REFUSED, CUT)):
            self.problems.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "blob:", "data:")):
            self.problems.append(f"request to {request.url}")
