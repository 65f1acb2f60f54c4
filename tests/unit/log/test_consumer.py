"""The loop over polls, when a rebalance or another process takes a partition while its records are handled."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord

from piperoll.log.consumer import PartitionConsumer
from piperoll.log.contract import PartitionBusyError
from piperoll.log.record import Record
from piperoll.settings import Settings
from schemas.topics import JOB_EVENTS


class StandInConsumer:
    """Answers as aiokafka's consumer does about partitions that it has, and that it has no longer."""

    def __init__(self, *partitions: int) -> None:
        self.mine = {TopicPartition(JOB_EVENTS.name, part) for part in partitions}
        self.sought: dict[int, int] = {}
        self.still: set[int] = set()
        self.asked_for_ends: list[int] = []

    def assignment(self) -> set[TopicPartition]:
        return self.mine

    def highwater(self, tp: TopicPartition) -> int:
        assert tp in self.mine, "Partition is not assigned"
        return 10

    def pause(self, tp: TopicPartition) -> None:
        if tp not in self.mine:
            raise IllegalStateError(f"No current assignment for partition {tp}")
        self.still.add(tp.partition)

    def resume(self, tp: TopicPartition) -> None:
        self.still.discard(tp.partition)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        if tp not in self.mine:
            raise IllegalStateError(f"No current assignment for partition {tp}")
        self.sought[tp.partition] = offset

    async def end_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked_for_ends += [tp.partition for tp in parts]
        return dict.fromkeys(parts, 10)

    async def position(self, tp: TopicPartition) -> int:
        return self.sought.get(tp.partition, 5)


class Handling:
    """A Reader that notes what it handled. `lost` are taken from the consumer meanwhile, `busy` are held elsewhere."""

    def __init__(self, consumer: StandInConsumer, lost: Sequence[int] = (), busy: Sequence[int] = ()) -> None:
        self.handled: list[int] = []
        self._consumer = consumer
        self._lost = lost
        self._busy = busy
        self.loading: set[int] = set()
        self.given_up: list[set[int]] = []

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        return dict.fromkeys(partitions - self.loading, 5)

    async def revoked(self, partitions: set[int]) -> None:
        self.given_up.append(partitions)

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        self._consumer.mine -= {TopicPartition(JOB_EVENTS.name, part) for part in self._lost}
        if partition in self._busy:
            raise PartitionBusyError("another session")
        self.handled.append(partition)


class Polled:
    """A consumer of partitions that are read from offset 5 on; `lags` are what it reported."""

    def __init__(self, standing_in: StandInConsumer, reader: Handling, *partitions: int) -> None:
        self.lags: dict[int, int] = {}
        self.standing_in = standing_in
        self.loop = PartitionConsumer(
            Settings.from_environment({}), "group", JOB_EVENTS, reader, on_lag=self.lags.__setitem__
        )
        self.loop._next = dict.fromkeys(partitions, 5)

    async def poll(self, partition: int) -> None:
        tp = TopicPartition(JOB_EVENTS.name, partition)
        raw = ConsumerRecord(JOB_EVENTS.name, partition, 5, 0, 0, b"job-1", b"{}", None, 0, 0, ())
        await self.loop._hand_over(self.standing_in, tp, [raw])  # type: ignore[arg-type]


async def test_a_partition_that_was_taken_while_its_records_were_handled_ends_nothing() -> None:
    consumer = StandInConsumer(0, 1)
    reader = Handling(consumer, lost=[0])
    polled = Polled(consumer, reader, 0, 1)
    await polled.poll(0)
    await polled.poll(1)
    assert reader.handled == [0, 1]
    assert polled.loop.positions == {0: 6, 1: 6}
    assert polled.lags == {1: 4}


@pytest.mark.parametrize("lost", [[], [0]], ids=["is still mine", "was taken meanwhile"])
async def test_a_partition_that_another_process_holds_is_put_back(lost: list[int]) -> None:
    consumer = StandInConsumer(0, 1)
    polled = Polled(consumer, Handling(consumer, lost=lost, busy=[0]), 0, 1)
    await polled.poll(0)
    assert polled.loop.positions == {0: 5, 1: 5}
    assert consumer.sought == ({} if lost else {0: 5})


async def test_a_partition_that_was_put_back_does_not_count_as_stalled() -> None:
    consumer = StandInConsumer(0, 1)
    polled = Polled(consumer, Handling(consumer, busy=[0]), 0, 1)
    await polled.loop._watch(consumer)
    assert consumer.asked_for_ends == [0, 1]
    await polled.poll(0)
    consumer.asked_for_ends.clear()
    await polled.loop._watch(consumer)
    assert consumer.asked_for_ends == [1]


async def test_a_partition_that_its_reader_has_not_loaded_waits_alone_and_is_read_when_it_is() -> None:
    consumer = StandInConsumer(0, 1)
    reader = Handling(consumer)
    reader.loading = {1}
    loop, never = Polled(consumer, reader).loop, asyncio.Event()
    loop._notes.assigned = {0, 1}
    await loop._apply_assignment(consumer, never)
    await loop._take_late(consumer, never)
    assert (loop.positions, consumer.still) == ({0: 5}, {1})
    reader.loading.clear()
    loop._ask_at = 0.0
    await loop._take_late(consumer, never)
    assert (loop.positions, consumer.still) == ({0: 5, 1: 5}, set())


async def test_a_partition_that_is_taken_before_it_was_loaded_is_given_up() -> None:
    consumer = StandInConsumer(0, 1)
    reader = Handling(consumer)
    reader.loading = {1}
    loop, never = Polled(consumer, reader).loop, asyncio.Event()
    loop._notes.assigned = {0, 1}
    await loop._apply_assignment(consumer, never)
    loop._notes.assigned = {0}
    await loop._apply_assignment(consumer, never)
    assert reader.given_up == [{1}]
    assert loop._late == set()


@pytest.mark.parametrize("kept", [set(), {1}], ids=["it is lost", "it is kept"])
async def test_a_partition_whose_assignment_failed_is_given_up_or_asked_for_again(kept: set[int]) -> None:
    consumer = StandInConsumer(0, 1)
    reader = Handling(consumer)
    loop, never = Polled(consumer, reader, 0).loop, asyncio.Event()

    with pytest.MonkeyPatch.context() as patch:

        async def fail(_partitions: set[int]) -> Mapping[int, int]:
            loop._notes.assigned = {0, *kept}
            patch.undo()
            raise KafkaError("no broker answers")

        patch.setattr(reader, "assigned", fail)
        loop._notes.assigned = {0, 1}
        await loop._apply_assignment(consumer, never)
    await loop._take_late(consumer, never)
    assert reader.given_up == ([] if kept else [{1}])
    assert loop.positions == dict.fromkeys({0, *kept}, 5)
    assert consumer.still == set()
