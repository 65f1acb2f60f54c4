"""The commands that run everything on this machine: `up` and `demo`."""

from pathlib import Path
from typing import Annotated

import typer

from piperoll.cli.console import run_command, warn
from piperoll.cli.target import DEFAULT_DATA_DIR

Folder = Annotated[Path, typer.Option("--data-dir", help="Folder for all data; created if it is missing.")]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--api-key",
        help="An API key of the owner `local`, of 32 characters or more, in place of the former one of the folder; may "
        "be repeated. Other users of the machine see it in the list of processes: prefer --api-key-file, or the "
        "variable PIPEROLL_API_KEY.",
    ),
]
KeyFile = Annotated[
    Path | None, typer.Option("--api-key-file", help="A file with such keys, one in a line; `-` is standard input.")
]
Pdf = Annotated[Path | None, typer.Option("--pdf", help="Your own PDF for the demonstration.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Number of worker child processes; default one per core.")
]


def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The API's port; 0 takes a free one.")] = 5001,
    data_dir: Folder = DEFAULT_DATA_DIR,
    api_key: Keys = None,
    api_key_file: KeyFile = None,
    pdf: Pdf = None,
    workers: Workers = None,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Start and serve, without the demonstration.")] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser, signed in.")] = False,
) -> None:
    """Start Kafka, Postgres and the four services on this machine, run the demonstration, and serve until Ctrl-C."""
    from piperoll.cli.up import UpOptions, serve
    from piperoll.embedded.given_keys import given_keys, warnings

    async def start() -> int:
        keys = given_keys(api_key or (), api_key_file)
        for warning in warnings(keys, api_key or ()):
            warn(warning)
        return await serve(UpOptions(data_dir, port, keys, workers, pdf, not no_demo, open_page))

    run_command(start())


def demo(
    data_dir: Folder = DEFAULT_DATA_DIR,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The API's port; 0 takes a free one.")] = 0,
    pdf: Pdf = None,
    workers: Workers = None,
) -> None:
    """Do the same as `up`, then stop. Exit status 0 only if the job completed and the webhook arrived."""
    from piperoll.cli.up import UpOptions, show

    run_command(show(UpOptions(data_dir, port, (), workers, pdf)))
