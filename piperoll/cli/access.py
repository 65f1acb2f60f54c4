"""`piperoll keys`: make, list and revoke API keys. `piperoll link`: sign a browser in with one."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from piperoll.cli.console import STATUSES, CommandError, out, print_line, print_rows, run_command
from piperoll.cli.target import DataDir, api_access_of, settings_of
from piperoll.settings import Settings

app = typer.Typer(no_args_is_help=True, help="API keys.")


@app.command(epilog=STATUSES)
def create(
    owner: Annotated[str, typer.Option(help="The owner of the jobs; all keys of an owner see the same jobs.")],
    scopes: Annotated[str, typer.Option(help="Comma separated: jobs (submit and read), submit, read, admin.")] = "jobs",
    days: Annotated[
        int | None, typer.Option(min=1, help="Days until the key expires; without it the key does not expire.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Create a key and print only the key. It is not stored and cannot be shown again."""
    run_command(_create(owner, scopes, days, data_dir))


@app.command("list", epilog=STATUSES)
def list_keys(data_dir: DataDir = None) -> None:
    """List all keys, including revoked ones, without their secret parts, which are not stored."""
    run_command(_list(data_dir))


@app.command(epilog=STATUSES)
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id that `list` shows: the part before the dot.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke a key. Running APIs reject it within two seconds."""
    run_command(_revoke(key_id, data_dir))


def link(data_dir: DataDir = None) -> None:
    """Print a link that signs a browser in to the page of the API, once and within ten minutes."""
    run_command(_link(data_dir))


async def _link(data_dir: Path | None) -> int:
    from piperoll.cli.remote.connection import connected_to, page_link

    access = api_access_of(data_dir)
    async with connected_to(access) as client:
        out.file.write(f"{await page_link(client, access)}\n")
    return 0


async def _with_pool(data_dir: Path | None, work: Callable[[Any, Settings], Awaitable[int]]) -> int:
    from piperoll.postgres import connect_pool

    settings = settings_of(data_dir)
    pool = await connect_pool(settings.postgres_dsn.get_secret_value(), max_size=1)
    try:
        return await work(pool, settings)
    finally:
        await pool.close()


async def _create(owner: str, scopes: str, days: int | None, data_dir: Path | None) -> int:
    from piperoll import keys

    async def work(pool: Any, settings: Settings) -> int:
        chosen = [scope.strip() for scope in scopes.split(",") if scope.strip()]
        expires = datetime.now(UTC) + timedelta(days=days) if days else None
        try:
            _, key = await keys.create(pool, settings.key_pepper.get_secret_value(), owner, chosen, expires)
        except ValueError as error:
            raise CommandError(str(error)) from error
        out.file.write(f"{key}\n")
        return 0

    return await _with_pool(data_dir, work)


async def _list(data_dir: Path | None) -> int:
    from piperoll import keys

    async def work(pool: Any, _: Settings) -> int:
        rows = [
            (key.key_id, key.owner, ",".join(sorted(key.scopes)), _moment(key.created_at), _state(key))
            for key in await keys.list_all(pool)
        ]
        print_rows(("id", "owner", "scopes", "created", "state"), rows)
        return 0

    return await _with_pool(data_dir, work)


async def _revoke(key_id: str, data_dir: Path | None) -> int:
    from piperoll import keys

    async def work(pool: Any, _: Settings) -> int:
        wanted = key_id.removeprefix("pr_").partition(".")[0]
        key = await keys.revoke(pool, wanted)
        if key is None:
            raise CommandError(f"no key has the id {wanted}: `piperoll keys list` shows the ids")
        print_line(f"{key.key_id} of {key.owner} is revoked; running APIs reject it within 2 s")
        return 0

    return await _with_pool(data_dir, work)


def _state(key: Any) -> str:
    if key.revoked_at:
        return f"revoked {_moment(key.revoked_at)}"
    if key.expires_at is None:
        return "valid"
    expired = key.expires_at <= datetime.now(UTC)
    return f"{'expired' if expired else 'valid until'} {_moment(key.expires_at)}"


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}Z"
