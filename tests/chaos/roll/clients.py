"""The clients of a rolling restart: they create, read, wait, list and remove at both API processes."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from tests.chaos.roll.requests import REPEAT_S, UNANSWERED, Requests, Seen, is_gone
from tests.support.stacks.system import Json

CLIENTS = 6
PAUSE_S = 0.1  # of one client between two requests, on average
DURATIONS = ([0, 0.5, 3], [20, 4, 1])
"""Seconds of a job, and their weights: at each stop of a worker some run that are released."""
MEMBERS = 3
UPLOAD_BYTES = 200_000  # more than one piece of a connection, so that some are on their way when a process stops


class RollingClients:
    """Clients of several API processes, given by their origins. Every choice is drawn from `seed`.

    `webhook` gets the hooks of jobs, `notices` those of an endpoint that is registered before the first job, and
    `passing` those of endpoints that come and go.
    """

    def __init__(self, origins: Sequence[str], key: str, webhook: str, notices: str, passing: str, seed: int) -> None:
        self._webhook = webhook
        self._notices = notices
        self._passing = passing
        self._chances = random.Random(seed)
        self._requests = Requests(origins, key, self._chances)
        self._stopping = asyncio.Event()
        self._acts: dict[Callable[[], Awaitable[None]], int] = {
            self._post: 30,
            self._upload: 5,
            self._post_batch: 4,
            self._post_batch_of_uploads: 2,
            self._add_document: 5,
            self._read_document: 5,
            self._remove_document: 2,
            self._come_and_go: 1,
            self._read_newest: 15,
            self._read_some: 15,
            self._wait: 8,
            self._list: 10,
        }

    @property
    def seen(self) -> Seen:
        """What the clients saw so far."""
        return self._requests.seen

    async def run(self) -> None:
        """Run until `stop`; each client finishes what it began."""
        async with self._requests.client:
            await self._register(self._notices)
            await self._post()
            async with asyncio.TaskGroup() as tasks:
                for _ in range(CLIENTS):
                    tasks.create_task(self._live())
                tasks.create_task(self._follow())

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping.set()

    async def _live(self) -> None:
        acts, weights = list(self._acts), list(self._acts.values())
        while not self._stopping.is_set():
            (act,) = self._chances.choices(acts, weights)
            await act()
            await asyncio.sleep(self._chances.uniform(0, 2 * PAUSE_S))

    # --- jobs --------------------------------------------------------------------------------------------------------

    async def _post(self) -> None:
        await self._create("noop", {"sleep_s": self._chances.choices(*DURATIONS)[0]})

    async def _upload(self) -> None:
        """Upload a file, then post a job that reads it."""
        if (filename := await self._store()) is not None:
            await self._create("extraction", {"filename": filename})

    async def _store(self) -> str | None:
        files = {"file": ("rolling.txt", self._text())}
        stored = await self._requests.ask("POST", "/api/files", files=files)
        if stored is None:
            return None
        self.seen.uploads += 1
        return str(stored["data"]["filename"])

    async def _create(self, job_type: str, parameters: Json) -> None:
        body = {"job_type": job_type, "parameters": {**parameters, "webhook": {"url": self._webhook}}}
        reply = await self._requests.ask("POST", "/api/jobs/", json=body, headers=self._requests.key())
        if reply is not None:
            self.seen.jobs.append(str(reply["data"]["job_id"]))

    async def _post_batch(self) -> None:
        await self._create_batch({"job_type": "noop", "parameters": {}})

    async def _post_batch_of_uploads(self) -> None:
        """Upload a file that all members read."""
        if (filename := await self._store()) is not None:
            await self._create_batch({"job_type": "extraction", "parameters": {"filename": filename}})

    async def _create_batch(self, member: Json) -> None:
        body = {"batch_name": "Rolling", "jobs": [member] * MEMBERS, "webhook": {"url": self._webhook}}
        reply = await self._requests.ask("POST", "/api/jobs/batch", json=body, headers=self._requests.key())
        if reply is not None:
            batch = reply["data"]["batch"]
            self.seen.batches[str(batch["batch_id"])] = MEMBERS
            self.seen.jobs += [str(member["job_id"]) for member in batch["jobs"]]

    async def _read_newest(self) -> None:
        await self._read(self.seen.jobs[-1])

    async def _read_some(self) -> None:
        await self._read(self._chances.choice(self.seen.jobs))

    async def _wait(self) -> None:
        await self._read(self.seen.jobs[-1], wait="3")

    async def _read(self, job_id: str, **query: str) -> None:
        await self._requests.ask("GET", f"/api/jobs/{job_id}", params=query)

    async def _list(self) -> None:
        paths = ["/api/jobs/", "/api/jobs/batches", "/v1/documents", "/v1/webhooks"]
        paths += [f"/api/jobs/batch/{one}" for one in list(self.seen.batches)[-1:]]
        await self._requests.ask("GET", self._chances.choice(paths))

    # --- documents and endpoints -------------------------------------------------------------------------------------

    async def _add_document(self) -> None:
        files = {"file": ("rolling.txt", self._text())}
        reply = await self._requests.ask(
            "POST",
            "/v1/documents?wait=0",
            lambda status, _: status == 202,
            files=files,
            headers=self._requests.key(),
        )
        if reply is not None:
            self.seen.documents[str(reply["data"]["documentId"])] = str(reply["data"]["jobId"])

    async def _read_document(self) -> None:
        if not self.seen.kept:
            return
        document = self._chances.choice(list(self.seen.kept))
        path = f"/v1/documents/{document}"
        await self._requests.ask(
            "GET", path, lambda status, _: status == 200 or (status == 404 and document in self.seen.removed)
        )

    async def _remove_document(self) -> None:
        if self.seen.kept:
            document = self._chances.choice(list(self.seen.kept))
            self.seen.removed.add(document)
            await self._requests.ask("DELETE", f"/v1/documents/{document}", is_gone)

    async def _come_and_go(self) -> None:
        """Register an endpoint and remove it; its notices are not counted."""
        if (endpoint := await self._register(self._passing)) is not None:
            await self._requests.ask("DELETE", f"/v1/webhooks/{endpoint}", is_gone)

    async def _register(self, url: str) -> str | None:
        reply = await self._requests.ask("POST", "/v1/webhooks", json={"url": url}, headers=self._requests.key())
        if reply is None:
            return None
        self.seen.endpoints += 1
        return str(reply["data"]["id"])

    # --- the stream --------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """The stream of the owner: it ends properly when its process stops, and is resumed at another one."""
        last = ""
        while not self._stopping.is_set():
            origin = self._requests.some_origin()
            headers = {"Last-Event-ID": last} if last else {}
            begun = False
            try:
                async with self._requests.client.stream("GET", f"{origin}/api/stream", headers=headers) as reply:
                    begun = True
                    self._requests.judge("GET /api/stream", reply.status_code, b"", reply.status_code == 200)
                    async for line in reply.aiter_lines():
                        last = line.removeprefix("id:").strip() if line.startswith("id:") else last
                        if self._stopping.is_set():
                            return
            except UNANSWERED as error:
                self._requests.note(f"GET {origin}/api/stream", error, begun)
            await asyncio.sleep(REPEAT_S)

    def _text(self) -> bytes:
        """A text that no other one equals."""
        return f"{self._chances.getrandbits(64):016x} ".encode() * (UPLOAD_BYTES // 17)
