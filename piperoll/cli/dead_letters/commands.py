"""`piperoll dead-letters`: parked records and stopped partitions: list them, show one, put back, leave out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from piperoll.cli.console import STATUSES, CommandError, counted, entry, print_line, run_command, waiting
from piperoll.cli.dead_letters.reading import find, name_of, open_redriving, read_waiting
from piperoll.cli.dead_letters.texts import plain, readable
from piperoll.cli.target import DataDir, settings_of

if TYPE_CHECKING:
    from piperoll.log.redriving import Settlement, Waiting
    from piperoll.settings import Settings

SHOWN_BYTES = 2000
MOST_LISTED = 200

app = typer.Typer(no_args_is_help=True, help="Records that could not be used, and partitions that stopped at one.")

LetterName = Annotated[
    str,
    typer.Argument(metavar="LETTER", help="A record as the list has it, such as jobs/3:120, or its id, jobs-3-120."),
]


@app.command(name="list", epilog=STATUSES)
def list_letters(data_dir: DataDir = None) -> None:
    """List the records that wait for a decision, stopped partitions first."""
    run_command(_list(data_dir))


@app.command(epilog=STATUSES)
def show(letter: LetterName, data_dir: DataDir = None) -> None:
    """Show a record: its headers, its value, who parked it, and why."""
    run_command(_show(letter, data_dir))


@app.command(epilog=STATUSES)
def redrive(letter: LetterName, data_dir: DataDir = None) -> None:
    """Put the record and all other parked records of its key back into their topic, in their order."""
    run_command(_redrive(letter, data_dir))


@app.command(epilog=STATUSES)
def skip(letter: LetterName, data_dir: DataDir = None) -> None:
    """Leave the record out for good: its key or partition goes on. What only followed it is put back."""
    run_command(_skip(letter, data_dir))


async def _list(data_dir: Path | None) -> int:
    settings = settings_of(data_dir)
    with waiting("Reading the dead letters"):
        found = await read_waiting(settings)
    if not found:
        print_line("No record is parked, and no partition is stopped.")
        return 0
    for one in found[:MOST_LISTED]:
        colour, state = ("red", "stopped") if one.stopped else ("yellow", "parked")
        print_line(f"\n[bold]{name_of(one)}[/bold]  [{colour}]{state}[/{colour}]")
        entry("key", plain(one.key) or "-")
        if one.type:
            entry("type", plain(one.type[:100]))
        entry("why", plain(_first_line(one.why)))
        entry("by", plain(f"{', '.join(one.consumers)}, {one.at[:19]}"))
    if len(found) > MOST_LISTED:
        print_line(f"\n… and {len(found) - MOST_LISTED:,} more")
    stopped = sum(one.stopped for one in found)
    print_line(
        f"\n{len(found) - stopped:,} parked, {stopped:,} stopped. `piperoll dead-letters redrive` puts a key's records "
        "back, `skip` leaves one out."
    )
    return 0


async def _show(letter: str, data_dir: Path | None) -> int:
    async with open_redriving(settings_of(data_dir)) as redriving:
        one = find(await redriving.waiting(), letter)
        record = await redriving.original(*one.place)
    entry("topic", f"{one.topic}, position {one.position}")
    entry("key", plain(one.key) or "-")
    entry("state", "stopped" if one.stopped else "parked")
    entry("by", plain(f"{', '.join(one.consumers)}, {one.at}"))
    entry("why", "\n".join(map(plain, one.why.splitlines())))
    if record is None:
        entry("record", "the log no longer holds it")
        return 0
    print_line()
    for name, value in record.headers:
        print_line(f"  {escape(plain(name[:40]))}: {escape(readable(value, SHOWN_BYTES))}")
    entry("value", readable(record.value, SHOWN_BYTES))
    return 0


async def _redrive(letter: str, data_dir: Path | None) -> int:
    from piperoll.log.redriving import of_key

    async with open_redriving(settings_of(data_dir)) as redriving:
        found = await redriving.waiting()
        one = find(found, letter)
        if one.stopped:
            raise CommandError(
                f"a partition is stopped at {letter}: deploy the release that knows the event, or skip it"
            )
        _report(await redriving.redrive(of_key(found, one)))
    return 0


async def _skip(letter: str, data_dir: Path | None) -> int:
    from piperoll.log.redriving import of_key

    settings = settings_of(data_dir)
    async with open_redriving(settings) as redriving:
        found = await redriving.waiting()
        one = find(found, letter)
        if one.stopped:
            await _skip_stop(settings, one)
        else:
            _report(await redriving.skip(of_key(found, one)))
    return 0


async def _skip_stop(settings: "Settings", one: "Waiting") -> None:
    from piperoll.installation.guard import examine
    from piperoll.installation.identity import InstallationError
    from piperoll.log.kafka import KafkaOffsets
    from piperoll.log.stops import SkippedRecords
    from piperoll.store.blobs import AsyncBlobs, Blobs

    blobs, log = AsyncBlobs(Blobs(settings.blob_url)), KafkaOffsets(settings)
    try:
        await log.start()
        blobs.sync.guard.on = await examine(blobs, log, await log.identity()) is not None
        await SkippedRecords(blobs).add(one.topic, one.position)
    except InstallationError as error:
        raise CommandError(str(error)) from error
    finally:
        await log.stop()
        blobs.close()
    entry("skipped", f"{name_of(one)}: its readers park it, with later records of its key, and continue within seconds")


def _report(done: "Settlement") -> None:
    for position, why in done.left_out:
        entry("left out", f"{position}: {plain(_first_line(why))}")
    entry("put back", f"{counted(len(done.put_back), 'record')}; the key is open again")


def _first_line(text: str) -> str:
    return text.splitlines()[0][:300] if text else "-"
