"""Judges a page by axe-core, which is beside this module as its package has it. It is for tests only."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

FOLDER = Path(__file__).with_name("axe")
SERIOUS = ("serious", "critical")


@cache
def source() -> str:
    """The script. Raises AssertionError if it is not the one that `origin.json` names."""
    origin = json.loads((FOLDER / "origin.json").read_text(encoding="utf-8"))
    content = (FOLDER / origin["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == origin["sha256"]
    return content.decode()


async def findings(page: Page, impacts: tuple[str, ...] = SERIOUS) -> list[str]:
    """What axe finds on the page as it is now: rule, selector and reason of each."""
    await page.evaluate(source())
    judged: dict[str, Any] = await page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']} at {' '.join(map(str, node['target']))}: {node.get('failureSummary', '')}"
        for violation in judged["violations"]
        if violation["impact"] in impacts
        for node in violation["nodes"]
    ]
