"""`piperoll seal draw` and `piperoll seal rotate`."""

import base64
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from piperoll.cli.console import STATUSES, CommandError, out, print_line, run_command
from piperoll.cli.target import DataDir, settings_of

app = typer.Typer(no_args_is_help=True, help="Sealing keys of webhook tokens and signing keys.")
KEY_BYTES = 32  # AES-256


@app.command(epilog=STATUSES)
def draw(
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="Put the key in front of those of this folder; valid from its next start on."),
    ] = None,
) -> None:
    """Draw a sealing key. Without a folder print it: put it in front of PIPEROLL_SEAL_KEYS of api and notifier."""
    run_command(_draw(data_dir))


@app.command(epilog=STATUSES)
def rotate(data_dir: DataDir = None) -> None:
    """Seal again, with the first of PIPEROLL_SEAL_KEYS, what older keys sealed. Services may run meanwhile."""
    run_command(_rotate(data_dir))


async def _draw(data_dir: Path | None) -> int:
    from piperoll.embedded.private import add_seal_key

    name = f"k{datetime.now(UTC):%Y%m%d}{secrets.token_hex(3)}"
    key = f"{name}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"
    if data_dir is None:
        out.file.write(f"{key}\n")
        return 0
    add_seal_key(data_dir, key)
    print_line(f"The sealing key {name} is the first of {data_dir}: restart its `piperoll up`, then run")
    print_line(f"  piperoll seal rotate --data-dir {data_dir}")
    return 0


async def _rotate(data_dir: Path | None) -> int:
    from piperoll.cli.seal import rotation
    from piperoll.postgres import connect
    from piperoll.seal import Seal, SealError

    settings = settings_of(data_dir)
    try:
        seal = Seal(settings.sealing_keys)
    except SealError as error:
        raise CommandError(str(error)) from error
    if len(settings.sealing_keys) == 1:
        print_line(
            f"Only the sealing key {seal.current} is set. For another one run `piperoll seal draw`, put the new key in "
            "front of PIPEROLL_SEAL_KEYS, restart api and notifier, and run this command again."
        )
    connection = await connect(settings.postgres_dsn.get_secret_value(), "piperoll seal rotate", timeout=10)
    try:
        done = await rotation.rotate(connection, seal)
    finally:
        await connection.close()
    for one in done:
        unreadable = f", {one.unreadable} cannot be opened by any key" if one.unreadable else ""
        print_line(f"{one.what}: {one.sealed} sealed with {seal.current}{unreadable}")
    return 1 if any(one.unreadable for one in done) else 0
