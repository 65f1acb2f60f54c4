"""The records that wait for an operator, and their names in the commands."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from piperoll.cli.console import CommandError

if TYPE_CHECKING:
    from piperoll.log.redriving import Redriving, Waiting
    from piperoll.settings import Settings


def name_of(one: "Waiting") -> str:
    """The name of a record in these commands."""
    from piperoll.log.redriving import short_name

    return f"{short_name(one.topic)}/{one.position}"


def find(found: Sequence["Waiting"], letter: str) -> "Waiting":
    """The record of that name, as in `jobs/3:120` or `jobs-3-120`, its id in the API. Raises CommandError."""
    for one in found:
        if letter in (name_of(one), _id_of(one)):
            return one
    raise CommandError(f"no record {letter} waits for a decision: `piperoll dead-letters list` shows which do")


def _id_of(one: "Waiting") -> str:
    """The id of a record in the API, which the page and `piperoll system` show."""
    from piperoll.log.redriving import short_name

    return f"{short_name(one.topic)}-{one.position.partition}-{one.position.offset}"


@asynccontextmanager
async def open_redriving(settings: "Settings") -> AsyncIterator["Redriving"]:
    """What puts records back, over the Kafka of the settings. Raises CommandError."""
    from piperoll.log.contract import AppendError
    from piperoll.log.kafka import KafkaOffsets
    from piperoll.log.producer import KafkaAppender
    from piperoll.log.redriving import RedriveRefusedError, Redriving

    view, appender = KafkaOffsets(settings), KafkaAppender(settings, "piperoll-dead-letters")
    async with AsyncExitStack() as stack:
        await view.start()
        stack.push_async_callback(view.stop)
        await appender.start()
        stack.push_async_callback(appender.stop)
        try:
            yield Redriving(view, appender, "piperoll dead-letters")
        except (RedriveRefusedError, AppendError) as error:
            raise CommandError(str(error)) from error


async def read_waiting(settings: "Settings") -> list["Waiting"]:
    """The records that wait, stopped partitions first."""
    async with open_redriving(settings) as redriving:
        return sorted(await redriving.waiting(), key=lambda one: not one.stopped)
