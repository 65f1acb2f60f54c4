"""The installation that a command uses: of a stack on this machine, of the environment, or of a profile."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from piperoll.cli.console import CouldNotRunError
from piperoll.cli.profiles import Profile, default_profile, named_profile, profile_of
from piperoll.settings import ClientSettings, Settings

DEFAULT_DATA_DIR = Path("data")
DEFAULT_URL = "http://127.0.0.1:5001"
NO_STACK = f"no stack runs in `{DEFAULT_DATA_DIR}`, and no PIPEROLL_* variable names one"
STORES = frozenset({"kafka_bootstrap", "postgres_dsn"})
"""Settings that name an installation for the commands that use its stores."""

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder of a running `piperoll up`. Without it the PIPEROLL_* variables apply, and if none is set, "
        "the folder `data`.",
    ),
]


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """The URL of an API and a key for it."""

    url: str
    key: str


class NoStackError(CouldNotRunError):
    """Nothing names an installation, and none runs in the folder `data`; `variables` are those that would name one."""

    def __init__(self, variables: str) -> None:
        super().__init__(
            f"{NO_STACK}: start one with `piperoll up`, name the folder of a running one with --data-dir, or set "
            f"{variables}"
        )


def settings_of(data_dir: Path | None) -> Settings:
    """Return the settings of the stack in `data_dir`, or of the environment. Raises CouldNotRunError when neither names
    an installation, and ValidationError."""
    given = Settings()
    folder = data_dir or default_stack(given)
    if folder is not None:
        return Settings.from_environment(_stack(folder)["env"])
    if not given.model_fields_set & STORES:
        raise NoStackError("PIPEROLL_KAFKA_BOOTSTRAP and PIPEROLL_POSTGRES_DSN")
    return given


def default_stack(given: Settings | ClientSettings) -> Path | None:
    """Return the folder `data` if a stack runs in it and the environment, `given`, names no other installation."""
    named = given.model_fields_set & (STORES | {"url", "api_key"})
    return DEFAULT_DATA_DIR if not named and (DEFAULT_DATA_DIR / "stack.json").exists() else None


def api_access_of(data_dir: Path | None, profile: str | None = None) -> ApiAccess:
    """Return the API that a command is about.

    The first of: the stack in `data_dir` or the profile of --profile, PIPEROLL_URL and PIPEROLL_API_KEY, the profile of
    PIPEROLL_PROFILE, a stack in the folder `data`, the profile `default`. None is completed by another, so that no key
    is sent to a server that it is not for. `profile` is that of --profile where no command runs. Raises
    CouldNotRunError.
    """
    given = ClientSettings()
    named = named_profile() if profile is None else profile
    if named and data_dir is not None:
        raise CouldNotRunError("--profile and --data-dir name two servers: give one of them")
    if named:
        return _of_profile(profile_of(named, given.config))
    if data_dir is not None:
        return _of_stack(data_dir)
    if given.model_fields_set & {"url", "api_key"}:
        return _of_environment(given)
    if given.profile:
        return _of_profile(profile_of(given.profile, given.config))
    if (folder := default_stack(given)) is not None:
        return _of_stack(folder)
    if (fallback := default_profile(given.config)) is not None:
        return _of_profile(fallback)
    raise NoStackError(f"PIPEROLL_API_KEY, and PIPEROLL_URL unless the API is at {DEFAULT_URL}")


def _of_stack(folder: Path) -> ApiAccess:
    stack = _stack(folder)
    return ApiAccess(stack["api_url"], str(stack["env"]["PIPEROLL_BOOTSTRAP_KEYS"]).split(",")[-1])


def _of_profile(profile: Profile) -> ApiAccess:
    return ApiAccess(profile.url.rstrip("/"), profile.api_key.get_secret_value())


def _of_environment(given: ClientSettings) -> ApiAccess:
    key = given.api_key.get_secret_value()
    if not key:
        raise CouldNotRunError(
            "no API key: set PIPEROLL_API_KEY to a key of the API at PIPEROLL_URL, or name the folder of a running "
            "`piperoll up` with --data-dir, or a profile with --profile"
        )
    return ApiAccess((given.url or DEFAULT_URL).rstrip("/"), key)


def _stack(data_dir: Path) -> dict[str, Any]:
    path = data_dir / "stack.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stack = {"api_url": content["api_url"], "env": dict(content["env"]), "supervisor": content["supervisor"]}
    except FileNotFoundError:
        raise CouldNotRunError(
            f"no stack runs in {data_dir}: start one with `piperoll up --data-dir {data_dir}`"
        ) from None
    except PermissionError:
        raise CouldNotRunError(f"{path} belongs to another user: run this command as that user") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CouldNotRunError(f"{path} is damaged ({error!r}): stop the stack, then start it again") from error
    if not stack["env"]:
        raise CouldNotRunError(f"the stack in {data_dir} is still starting: try again when it is ready")
    if not psutil.pid_exists(stack["supervisor"]):
        raise CouldNotRunError(
            f"the stack in {data_dir} was killed: start it again with `piperoll up --data-dir {data_dir}`, which "
            "also cleans up"
        )
    return stack
