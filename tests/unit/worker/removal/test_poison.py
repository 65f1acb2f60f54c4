"""Whatever is written to the documents topic: the process manager of removal parks it, and removes what is removed."""

from piperoll.log.parking import PARKED_BEFORE
from piperoll.log.record import Position, partition_of
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs
from schemas.envelope import encode
from schemas.events import DocumentRemoved
from schemas.topics import DOCUMENT_EVENTS
from tests.support.histories.documents import added
from tests.support.histories.jobs import fact
from tests.support.poison.cases import letters_in, reasons
from tests.support.poison.records import EVERYWHERE, WITH_CLAIMS
from tests.support.runs.removing import OWNER, Removing, store_document

REMOVED = DocumentRemoved(by=OWNER)
POISONS = {f"doc-{number}": poison for number, poison in enumerate([*EVERYWHERE.values(), *WITH_CLAIMS.values()])}


async def removed(blobs: AsyncBlobs) -> set[str]:
    return {uri.split("/")[1] for uri in await blobs.names(documents.REMOVED)}


async def test_each_poison_is_parked_with_its_reason_and_a_removal_after_it_is_carried_out(
    removing: Removing, blobs: AsyncBlobs
) -> None:
    await removing.start()
    for key, poison in POISONS.items():
        await store_document(blobs, key)
        await removing.log.append_raw(DOCUMENT_EVENTS, *poison.of(fact(key, added(), 1)))
        await removing.append(key, added(), 2)
    await removing.restart()
    for key in POISONS:
        await removing.append(key, REMOVED, 3)
    await removing.settled()
    found: dict[str, list[str]] = {}
    for raw, why in reasons(await letters_in(removing.log)):
        found.setdefault((raw or b"").decode(), []).append(why)
    assert found.keys() == POISONS.keys()
    for key, poison in POISONS.items():
        own, *following = found[key]
        assert poison.why in own, key
        assert following == [PARKED_BEFORE]
    assert await removed(blobs) == POISONS.keys()


async def test_a_removal_in_the_partition_of_another_key_removes_nothing(removing: Removing, blobs: AsyncBlobs) -> None:
    await removing.start()
    await removing.append("doc-1", await store_document(blobs, "doc-1"))
    place = (partition_of("doc-1", removing.log.partitions) + 1) % removing.log.partitions
    removing.log.place_in(DOCUMENT_EVENTS, place, *encode(fact("doc-1", REMOVED, 1)))
    await removing.log.deliver()
    await removing.settled()
    assert [why[:18] for _, why in reasons(await letters_in(removing.log))] == ["it is in partition"]
    assert len(await blobs.names(documents.content_of("doc-1"))) == 2
    await removing.append("doc-1", REMOVED, 2)
    await removing.gone("doc-1")


async def test_an_event_of_a_later_release_holds_up_its_partition_until_it_is_skipped(
    removing: Removing, blobs: AsyncBlobs
) -> None:
    await removing.start()
    key, value, headers = encode(fact("doc-1", added(), 1))
    newer = [(name, b"piperoll.DocumentTeleported.v1" if name == "ce_type" else text) for name, text in headers]
    position = await removing.log.append_raw(DOCUMENT_EVENTS, key, value, newer)
    part = partition_of("doc-1", removing.log.partitions)
    names = [f"other-{number}" for number in range(20)]
    for name in names:
        await removing.append(name, REMOVED)
    await removing.settled()
    held = {name for name in names if partition_of(name, removing.log.partitions) == part}
    assert held
    assert await removed(blobs) == set(names) - held
    await removing.log.skipped.add(DOCUMENT_EVENTS.name, Position(part, position.offset))
    await removing.log.deliver()
    await removing.settled()
    assert await removed(blobs) == set(names)
