"""Profiles: the addresses of servers, with keys, in a file of the user. Reads the file; decides nothing else."""

import inspect
import stat
import tomllib
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from piperoll.cli.console import CouldNotRunError

PROFILES = Path(".config", "piperoll", "profiles.toml")
"""Below the home of the user, unless PIPEROLL_CONFIG names another file."""
BY_DEFAULT = "default"

Option = Annotated[
    str,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="A profile of ~/.config/piperoll/profiles.toml, or PIPEROLL_CONFIG. Without it and --data-dir the first "
        "of these is taken: PIPEROLL_URL and PIPEROLL_API_KEY, PIPEROLL_PROFILE, a stack in the folder `data`, the "
        "profile `default`.",
    ),
]
_named: ContextVar[str] = ContextVar("profile", default="")


class Profile(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    url: str = Field(min_length=1)
    api_key: SecretStr = Field(min_length=1)


def with_profile(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with the option --profile, which `named_profile` then returns."""

    @wraps(command)
    def run(*args: Any, profile: str = "", **options: Any) -> None:
        _named.set(profile)
        command(*args, **options)

    signature = inspect.signature(command)
    option = inspect.Parameter("profile", inspect.Parameter.KEYWORD_ONLY, default="", annotation=Option)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, "profile": Option}
    return run


def named_profile() -> str:
    """Return the name that this call of a command was given by --profile; empty without one."""
    return _named.get()


def profile_of(name: str, config: Path | None) -> Profile:
    """Return a profile by its name from `config`, else from PROFILES. Raises CouldNotRunError."""
    path = config or Path.home() / PROFILES
    profiles = _read(path)
    if name not in profiles:
        raise CouldNotRunError(f"{path} has no profile {name}: it has {', '.join(profiles) or 'none'}")
    return profiles[name]


def default_profile(config: Path | None) -> Profile | None:
    """Return the profile `default`, if there is a file that has it. Raises CouldNotRunError."""
    path = config or Path.home() / PROFILES
    return _read(path).get(BY_DEFAULT) if config is not None or path.exists() else None


def _read(path: Path) -> dict[str, Profile]:
    try:
        mode = path.stat().st_mode
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CouldNotRunError(f"the profiles cannot be read: {path}: {error.strerror}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise CouldNotRunError(f"{path} is not a TOML file: {error}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CouldNotRunError(f"other users can read the keys in {path}: run `chmod 600 {path}`")
    return {name: _profile(path, name, table) for name, table in content.items()}


def _profile(path: Path, name: str, table: Any) -> Profile:
    try:
        return Profile.model_validate(table)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors())
        raise CouldNotRunError(
            f"the profile {name} in {path} is wrong: {problems}; a profile is a table with url and api_key"
        ) from error
