"""Documents, folders, webhooks, keys and limits by the client."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from piperoll.client import AsyncClient, AuthenticationError, NotFoundError, WrongSignatureError, verify_webhook
from tests.support.poison.misplaced import misplaced_job
from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import System
from tests.support.waiting import wait_until


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver of one test: others read all that the system's one got."""
    async with Receiver() as one:
        yield one


async def test_a_document_is_read_put_into_a_folder_and_found_by_its_meaning(client: AsyncClient) -> None:
    folder = await client.folders.create(f"Manuals {uuid4().hex[:6]}", chunk_size=200)
    text = b"The pump is serviced each spring. The mill is closed in winter."
    added = await client.documents.upload(text, name="manual.txt", folder_id=folder.id)
    document = await client.documents.wait(added.document_id, timeout=90)
    assert (document.status, document.content) == ("DONE", text.decode())

    index = await client.folders.reindex(folder.id)
    await client.jobs.wait(index.id, timeout=180, raise_on_failure=True)
    (hit,) = await client.folders.search(folder.id, "When is the pump serviced?", limit=1)

    assert (hit.document_id, hit.chunk) == (document.document_id, 0)
    assert [file.id async for file in client.folders.files(folder.id)] == [document.document_id]
    assert (await client.folders.change(folder.id, name="Others")).name == "Others"
    assert folder.id in {one.id async for one in client.folders.list()}
    await client.folders.take_out(folder.id, document.document_id)
    assert [file async for file in client.folders.files(folder.id)] == []
    await client.folders.add(folder.id, [document.document_id])
    await client.folders.delete(folder.id)
    await client.documents.delete(document.document_id)
    with pytest.raises(NotFoundError):
        await client.documents.get(document.document_id)


async def test_a_webhook_is_verified_and_its_deliveries_are_listed(receiver: Receiver, client: AsyncClient) -> None:
    path = f"/{uuid4().hex}"
    job = await client.jobs.create("noop", webhook={"url": receiver.url(path), "jobId": "invoice-17"})
    await receiver.wait_for(
        lambda it: any(one.json["phase"] == "completed" for one in it.at(path)), 60, "the final webhook"
    )
    hook = next(one for one in receiver.at(path) if one.json["phase"] == "completed")
    keys = await client.signing_keys.list()

    for held in (keys[0].secret, keys[0].public_key):
        assert verify_webhook(hook.headers, hook.body, held)["job"] == {"id": "invoice-17"}
        with pytest.raises(WrongSignatureError):
            verify_webhook(hook.headers, hook.body + b" ", held)

    async def delivered() -> bool:
        return any(one.outcome == "delivered" for one in await client.jobs.deliveries(job.job_id))

    await wait_until(delivered, 60, "the delivery to be listed")
    await client.jobs.redeliver(job.job_id)
    trial = await client.try_webhook(receiver.url(path))
    assert (trial.ok, trial.status) == (True, 200)


async def test_an_endpoint_is_registered_tried_and_removed(receiver: Receiver, client: AsyncClient) -> None:
    made = await client.endpoints.register(receiver.url(f"/{uuid4().hex}"), statuses=["ERROR"])

    assert (made.secret or "").startswith("whsec_")
    assert made.secret not in repr(made)
    assert made.id in {one.id for one in await client.endpoints.list()}
    assert await client.endpoints.try_out(made.id)
    await client.endpoints.delete(made.id)
    assert made.id not in {one.id for one in await client.endpoints.list()}


async def test_a_key_is_created_rotated_and_ended(system: System, client: AsyncClient) -> None:
    made = await client.keys.create("acme", ["read"], expires_at=datetime.now(UTC) + timedelta(days=1))
    assert made.key is not None
    assert made.key not in repr(made)

    replaced = await client.keys.rotate(made.id, overlap_s=0)
    await client.keys.end(replaced.id)

    listed = {key.id: key for key in await client.keys.list()}
    assert listed[replaced.id].revoked_at is not None
    async with AsyncClient(system.stack.api_url, replaced.key or "") as ended:
        with pytest.raises(AuthenticationError):
            await ended.limits()

    async def recorded() -> bool:
        return {fact.action for fact in await client.audit(key_id=made.id)} >= {"created", "rotated"}

    await wait_until(recorded, 60, "the changes of the key to be in the audit")


async def test_limits_and_health_are_read(client: AsyncClient) -> None:
    limits = await client.limits()

    assert limits.installation
    assert all(one.limit is None or one.limit > 0 for one in limits.process.values())
    assert (await client.health()).ready


async def test_the_state_of_the_installation_is_read_and_a_dead_letter_is_put_back(
    system: System, client: AsyncClient
) -> None:
    place = await misplaced_job(system.settings, f"job-{uuid4()}")
    letter = f"jobs-{place.partition}-{place.offset}"

    async def waits() -> bool:
        letters = (await client.system()).dead_letters
        return letters is not None and letter in {one.id for one in letters.newest}

    await wait_until(waits, 60, "the record to be parked")
    assert (await client.redrive(letter)).put_back == [letter]
    assert not await waits()
    assert (await client.redrive(letter)).put_back == []
    with pytest.raises(NotFoundError):
        await client.redrive("jobs-0-999999")
    found = await client.system()
    assert {one.service for one in found.services or ()} == {"api", "worker", "projector", "notifier"}
    assert {name: len(plot.points) for name, plot in (found.plots or {}).items()} == {"hour": 60, "day": 24}
    assert found.unknown == {}
