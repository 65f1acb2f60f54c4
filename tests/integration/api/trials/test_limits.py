"""How many trials of webhooks may run, at once and in a minute: real sockets and a real Postgres."""

import asyncio

import pytest
from aiohttp import web

from schemas.job_types.parameters import Webhook
from services.api.http.errors import ApiError
from services.api.trials.posting import A_MINUTE, AT_ONCE, AT_ONCE_OF_OWNER, Trials
from tests.support.servers.receiver import Receiver


class Held:
    """An answer that is sent only after `let_go` is set."""

    def __init__(self, receiver: Receiver, path: str = "/held") -> None:
        self.receiver = receiver
        self.path = path
        self.let_go = asyncio.Event()
        receiver.answers(path, self._answer)

    async def _answer(self, _: web.Request) -> web.StreamResponse:
        await self.let_go.wait()
        return web.Response()

    async def begun(self, count: int) -> None:
        await self.receiver.wait_for(lambda _: len(self.receiver.at(self.path)) == count, 20, f"{count} trials")


async def refused(trials: Trials, hook: Webhook, owner: str) -> ApiError:
    with pytest.raises(ApiError) as error:
        await trials.run(hook, owner)
    assert (error.value.status, error.value.code) == (429, "RATE_LIMITED")
    assert int(error.value.headers["Retry-After"]) >= 1
    return error.value


async def test_an_owner_has_at_most_two_trials_at_once(trials: Trials, receiver: Receiver, owner: str) -> None:
    held = Held(receiver)
    hook, other = Webhook(url=receiver.url(held.path)), Webhook(url=receiver.url())
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(trials.run(hook, owner)) for _ in range(AT_ONCE_OF_OWNER)]
        await held.begun(AT_ONCE_OF_OWNER)
        assert (await refused(trials, other, owner)).details == {"limit": AT_ONCE_OF_OWNER}
        assert (await trials.run(other, f"{owner}-2"))["ok"], "another owner is not affected"
        held.let_go.set()
    assert all(task.result()["ok"] for task in running)
    assert (await trials.run(other, owner))["ok"]


async def test_a_process_has_a_maximum_of_trials_at_once(trials: Trials, receiver: Receiver, owner: str) -> None:
    held = Held(receiver)
    hook = Webhook(url=receiver.url(held.path))
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(trials.run(hook, f"{owner}-{n // 2}")) for n in range(AT_ONCE)]
        await held.begun(AT_ONCE)
        assert (await refused(trials, hook, f"{owner}-new")).details == {"limit": AT_ONCE}
        held.let_go.set()
    assert all(task.result()["ok"] for task in running)


async def test_an_owner_has_a_maximum_of_trials_a_minute(trials: Trials, receiver: Receiver, owner: str) -> None:
    hook = Webhook(url=receiver.url())
    for _ in range(A_MINUTE):
        assert (await trials.run(hook, owner))["ok"]
    assert (await refused(trials, hook, owner)).details == {"limit": A_MINUTE, "window_s": 60}
    assert len(receiver.received) == A_MINUTE
    assert (await trials.run(hook, f"{owner}-2"))["ok"]
