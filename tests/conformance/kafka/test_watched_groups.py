"""What a group's coordinator knows of its members: their partitions, their notes, and how far they have read."""

from collections.abc import Sequence
from dataclasses import replace

from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.topics.groups import Group, Member, MemberNote, read_groups
from piperoll.settings import Settings
from schemas.topics import Topic
from tests.support.kafka import nothing_read
from tests.support.stacks.reading import Bookkeeper, member
from tests.support.waiting import wait_until

GROUP = "piperoll.watched"
COMMIT_S = 30  # positions are committed every 5 s


async def test_members_partitions_notes_and_lag_are_seen_and_stay_known_when_all_have_left(
    settings: Settings, topic: Topic, appender: KafkaAppender
) -> None:
    watched = replace(topic, groups=(f"{GROUP}.{topic.name[-6:]}",))
    (name,) = watched.groups
    assert await read_groups(settings, [watched]) == [Group(name, topic.name, (), {})], "no one has joined yet"
    for number in range(30):
        await appender.append_raw(topic, f"key-{number}".encode(), b"", [])
    book = nothing_read(settings)
    async with member(settings, name, topic, Bookkeeper(book), MemberNote(slots=3)):

        async def committed() -> bool:
            (group,) = await read_groups(settings, [watched])
            return await lag_of(settings, group, topic) == 0

        await wait_until(committed, COMMIT_S, "the positions to be committed")
        (group,) = await read_groups(settings, [watched])
        assert group.members == (Member(settings.instance, frozenset(book.positions), 3),)

    async def left() -> Sequence[Group] | None:
        found = await read_groups(settings, [watched])
        return found if not found[0].members else None

    found = await wait_until(left, COMMIT_S + settings.session_timeout_s, "the member to have left")
    assert found is not None
    await appender.append_raw(topic, b"later", b"", [])
    assert await lag_of(settings, found[0], topic) == 1


async def lag_of(settings: Settings, group: Group, topic: Topic) -> int | None:
    offsets = KafkaOffsets(settings)
    await offsets.start()
    try:
        return group.lag(await offsets.end_offsets(topic))
    finally:
        await offsets.stop()
