"""The API keys that a stack is given: by option, by file or by the environment. Prints nothing."""

import sys
from collections.abc import Sequence
from pathlib import Path

from piperoll.embedded.errors import StackError
from piperoll.settings import ClientSettings

WANTED_CHARS = 32
"""Characters of a key that cannot be guessed; shorter ones are accepted with a warning."""
STANDARD_INPUT = Path("-")


def given_keys(options: Sequence[str], file: Path | None) -> tuple[str, ...]:
    """Return the keys of the options and the file, else that of PIPEROLL_API_KEY.

    Raises StackError for a file that cannot be read or holds no key, and for a key that no request can contain.
    """
    keys = (*options, *(() if file is None else _read(file)))
    if not keys and (key := ClientSettings().api_key.get_secret_value()):
        keys = (key,)
    if not all(map(_can_be_sent, keys)):
        raise StackError("an API key must be printable ASCII without blanks and commas")
    return keys


def warnings(keys: Sequence[str], options: Sequence[str]) -> list[str]:
    """What makes the keys easy to find, without the keys. `options` are those of the command line."""
    found = []
    if options:
        found.append(
            "--api-key shows the key in the list of processes: use --api-key-file, or the variable PIPEROLL_API_KEY"
        )
    if short := [key for key in keys if len(key) < WANTED_CHARS]:
        found.append(f"the API key has {len(short[0])} characters, so it can be guessed: use {WANTED_CHARS} or more")
    return found


def _read(file: Path) -> tuple[str, ...]:
    try:
        text = sys.stdin.read() if file == STANDARD_INPUT else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StackError(f"the API key cannot be read from {file}: {error}") from error
    if not (keys := tuple(text.split())):
        raise StackError(f"{file} holds no API key: write one into it, of {WANTED_CHARS} characters or more")
    return keys


def _can_be_sent(key: str) -> bool:
    """Whether the key can be part of a header, and of the settings, which separate keys by commas."""
    return key.isascii() and key.isprintable() and not set(key) & set(" ,") and key != ""
