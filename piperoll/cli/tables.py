"""`piperoll rebuild` and `piperoll verify`: rebuild the read model from the log, or compare it with the log."""

from pathlib import Path

from piperoll.cli.console import COULD_NOT_RUN, CommandError, counting, entry, print_error, print_line, run_command
from piperoll.cli.target import DataDir, settings_of
from piperoll.settings import Settings


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
    print_line(f"The read model was rebuilt from {rebuilt.records:,} records in {rebuilt.seconds:.1f} s and is in use.")
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
    compared = f"{report.jobs:,} jobs, {report.batches:,} batches, {report.deliveries:,} delivery facts"
    kept = (
        f"{report.documents:,} documents, {report.folders:,} folders, {report.indexes:,} indexes, "
        f"{report.endpoints:,} endpoints"
    )
    entry("compared", f"{compared}\n{kept}")
    entry("read", f"{report.records:,} records of the log in {report.seconds:.1f} s")
    entry("in progress", f"{report.open_jobs:,} jobs, {report.hooks_due:,} webhooks of ended jobs")
    if report.parked:
        entry("parked", f"{report.parked:,} keys with records that could not be decoded: see the dead letters")
    for violation in report.violations:
        print_error(str(violation))
    for subject, lines in report.histories.items():
        entry(subject, "\n".join(lines) or "no record in the log")
    entry("verdict", "holds" if report.holds else f"violated {len(report.violations):,} times")
    return 0 if report.holds else 1
