"""Which installation a command is about: a stack on this machine by its data folder, else what the environment says."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from piperoll.cli.console import CommandError
from piperoll.settings import ClientSettings, Settings

DEFAULT_DATA_DIR = Path("data")
DEFAULT_URL = "http://127.0.0.1:5001"

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of a running `piperoll up`; without it the PIPEROLL_* variables count."),
]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an API is, and the key for it."""

    url: str
    key: str


def settings_of(data_dir: Path | None) -> Settings:
    """The settings of the stack in `data_dir`, or those of the environment.

    Raises CommandError when no stack runs there, pydantic's ValidationError when the variables make no sense.
    """
    return Settings() if data_dir is None else Settings.from_environment(_stack(data_dir)["env"])


def endpoint_of(data_dir: Path | None) -> Endpoint:
    """The API of the stack in `data_dir`, or PIPEROLL_URL with PIPEROLL_API_KEY.

    With neither, a stack in the folder `data` is taken if it runs. Raises CommandError when there is no key.
    """
    given = ClientSettings()
    if data_dir is None and not given.url and not given.api_key and (DEFAULT_DATA_DIR / "stack.json").exists():
        data_dir = DEFAULT_DATA_DIR
    if data_dir is not None:
        stack = _stack(data_dir)
        keys = str(stack["env"]["PIPEROLL_BOOTSTRAP_KEYS"]).split(",")
        return Endpoint(stack["api_url"], keys[-1])
    key = given.api_key.get_secret_value()
    if not key:
        raise CommandError(
            "no API key: set PIPEROLL_API_KEY (and PIPEROLL_URL unless the API is at "
            f"{DEFAULT_URL}), or name the folder of a running `piperoll up` with --data-dir"
        )
    return Endpoint((given.url or DEFAULT_URL).rstrip("/"), key)


def _stack(data_dir: Path) -> dict[str, Any]:
    path = data_dir / "stack.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {"api_url": content["api_url"], "env": dict(content["env"])}
    except FileNotFoundError:
        raise CommandError(f"no stack runs in {data_dir}: start one with `piperoll up --data-dir {data_dir}`") from None
    except PermissionError:
        raise CommandError(f"{path} belongs to another user: run this command as the one who started it") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} is damaged ({error!r}): stop the stack, then start it again") from error
