"""Wait until a part of the stack answers: Kafka and Postgres by a probe, the services over HTTP."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import aiohttp

from piperoll.embedded.errors import StackError
from piperoll.embedded.files import tail
from piperoll.embedded.process import StackProcess

STORE_READY_S = 60.0  # measured: Kafka 2.3 s at its first start; Postgres takes longer when it replays its WAL
_PROBE_S = 0.05
_POLL_S = 0.1
_NOTE_S = 5.0  # interval of progress messages


async def wait_for_store(
    name: str, process: StackProcess, log: Path, answers: Callable[[], Awaitable[bool]], on_event: Callable[[str], None]
) -> None:
    """Wait until `answers` returns true for the store `name`. Raises StackError with the end of `log`."""
    began = noted = time.monotonic()
    while not await answers():
        now = time.monotonic()
        if not process.running:
            raise StackError(f"{name} ended during its start ({process.exit_text}). The end of {log}:\n{tail(log)}")
        if now - began > STORE_READY_S:
            raise StackError(
                f"{name} did not answer within {STORE_READY_S:.0f} s; if this machine is busy, try again. "
                f"The end of {log}:\n{tail(log)}"
            )
        if now - noted > _NOTE_S:
            noted = now
            on_event(f"{name} does not answer yet")
        await asyncio.sleep(_PROBE_S)


async def wait_for_api(
    api_url: str, timeout: float, on_event: Callable[[str], None], explain: Callable[[], str]
) -> None:
    """Wait until `api_url` is ready. After `timeout` s raises StackError with the last answer and `explain()`."""
    began = noted = time.monotonic()
    seen = brief = "no answer yet"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5), trust_env=False) as session:
        while True:
            with suppress(aiohttp.ClientConnectionError, TimeoutError):
                async with session.get(f"{api_url}/api/health/ready") as reply:
                    if reply.status == 200:
                        return
                    text = await reply.text()
                    seen, brief = f"HTTP {reply.status}: {text[:500]}", _brief(reply.status, text)
            now = time.monotonic()
            if now - began > timeout:
                raise StackError(f"the services were not ready within {timeout:.0f} s (last seen: {seen}). {explain()}")
            if now - noted > _NOTE_S:
                noted = now
                on_event(brief)
            await asyncio.sleep(_POLL_S)


def _brief(status: int, text: str) -> str:
    """Return the names of the checks that an answer of readiness lists as failed, else its status."""
    try:
        problems = json.loads(text)["error"]["details"]["problems"]
        return f"not ready yet: {', '.join(problems)}"
    except (ValueError, KeyError, TypeError):
        return f"not ready yet: HTTP {status}"


def explain_by_logs(running: Mapping[str, bool], logs: Path) -> str:
    """Return the names of ended services with the ends of their logs; if none ended, the end of the API's log."""
    ended = [name for name, runs in running.items() if not runs]
    shown = ended or list(running)[:1]
    ends = "\n".join(f"The end of {name}'s log:\n{tail(logs / f'{name}.log')}" for name in shown)
    return f"Not running: {', '.join(ended) or 'none'}. All logs are in {logs}.\n{ends}"
