"""`piperoll rebuild` and `piperoll verify`: rebuild the read model from the log, or compare it with the log."""

from pathlib import Path
from typing import TYPE_CHECKING

from piperoll.cli.console import (
    COULD_NOT_RUN,
    CommandError,
    counted,
    counting,
    entry,
    print_error,
    print_line,
    run_command,
)
from piperoll.cli.target import DataDir, settings_of
from piperoll.settings import Settings

if TYPE_CHECKING:
    from services.projector.verify.run import VerifyReport


def rebuild(data_dir: DataDir = None) -> None:
    """Rebuild the read model from the first record beside the one in use, then swap them."""
    run_command(_rebuild(data_dir))


def verify(data_dir: DataDir = None) -> None:
    """Fold the log and compare the tables with the result. Exit status 0: equal, 1: different, 2: could not run."""
    run_command(_verify(data_dir), failure=COULD_NOT_RUN)


async def discard_other_read_model(settings: Settings) -> str | None:
    """Drop a read model of another version before a stack's services start; return a message if it did."""
    import asyncpg

    from services.projector.database.schema import discard_other_shape

    connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    try:
        if not await discard_other_shape(connection):
            return None
    finally:
        await connection.close()
    return "the read model was made by another version of Piperoll: it is rebuilt from the log"


async def _rebuild(data_dir: Path | None) -> int:
    from piperoll.installation.identity import InstallationError
    from services.projector.database.schema import VectorsMissingError
    from services.projector.rebuild import RebuildRunningError
    from services.projector.rebuild import rebuild as build

    settings = settings_of(data_dir)
    with counting("Rebuilding the read model from the log", "records") as progress:
        try:
            rebuilt = await build(settings, progress)
        except (RebuildRunningError, VectorsMissingError, InstallationError) as error:
            raise CommandError(str(error)) from error
    records = counted(rebuilt.records, "record")
    print_line(f"The read model was rebuilt from {records} in {rebuilt.seconds:.1f} s and is in use.")
    return 0


async def _verify(data_dir: Path | None) -> int:
    from asyncpg import UndefinedTableError

    from piperoll.installation.identity import InstallationError
    from services.projector.database.schema import OtherShapeError
    from services.projector.verify.run import verify as compare

    settings = settings_of(data_dir)
    with counting("Folding the log and comparing the tables", "partitions") as progress:
        try:
            report = await compare(settings, progress)
        except UndefinedTableError as error:
            raise CommandError("there is no read model yet: start a projector, then try again") from error
        except (OtherShapeError, InstallationError) as error:
            raise CommandError(str(error)) from error
    *counts, verdict = lines_of(report)
    for line in counts:
        entry(*line)
    for violation in report.violations:
        print_error(str(violation))
    for subject, lines in report.histories.items():
        entry(subject, "\n".join(lines) or "no record in the log")
    entry(*verdict)
    return 0 if report.holds else 1


def lines_of(report: "VerifyReport") -> list[tuple[str, str]]:
    """Return the labels and texts that show the counts of a report, the verdict last."""
    compared = (
        counted(report.jobs, "job"),
        counted(report.batches, "batch", "batches"),
        counted(report.deliveries, "delivery fact"),
    )
    kept = (
        counted(report.documents, "document"),
        counted(report.folders, "folder"),
        counted(report.indexes, "index", "indexes"),
        counted(report.endpoints, "endpoint"),
    )
    lines = [
        ("compared", f"{', '.join(compared)}\n{', '.join(kept)}"),
        ("read", f"{counted(report.records, 'record')} of the log in {report.seconds:.1f} s"),
        ("in progress", f"{counted(report.open_jobs, 'job')}, {counted(report.hooks_due, 'webhook')} of ended jobs"),
    ]
    if report.parked:
        keys = counted(report.parked, "key")
        lines.append(("parked", f"{keys} with records that could not be decoded: see the dead letters"))
    if report.unkept:
        lines.append(("not kept", f"the verdict, for `piperoll system`: {report.unkept}"))
    verdict = "holds" if report.holds else f"violated: {counted(len(report.violations), 'violation')}"
    return [*lines, ("verdict", verdict)]
