"""The secrets of one data folder: drawn once, kept in `private/secrets.json` (0600, the folder 0700)."""

import base64
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from piperoll.embedded.errors import StackError
from piperoll.embedded.files import private_folder, write_private


@dataclass(frozen=True)
class Secrets:
    """What only this stack may know.

    `seal_keys` is `id:base64` of 32 bytes, comma separated; `key_pepper` is hex of 32 bytes; `api_keys` are
    all keys that ever were valid for the owner `local`, the one to use now last.
    """

    postgres_password: str
    seal_keys: str
    key_pepper: str
    api_keys: tuple[str, ...]


def load_secrets(data_dir: Path, api_keys: Iterable[str] = ()) -> Secrets:
    """Return the secrets of `data_dir`, drawn the first time, with `api_keys` added as the newest.

    A key is drawn only when there is none at all. StackError when the file was damaged.
    """
    path = private_folder(data_dir / "private") / "secrets.json"
    stored = _read(path)
    known = stored or _draw()
    given = tuple(api_keys)
    keys = tuple(key for key in known.api_keys if key not in given) + given
    current = replace(known, api_keys=keys or (f"pr_{secrets.token_hex(4)}.{secrets.token_urlsafe(32)}",))
    if current != stored:
        write_private(path, json.dumps(asdict(current), indent=2))
    return current


def _draw() -> Secrets:
    return Secrets(
        postgres_password=secrets.token_urlsafe(24),
        seal_keys=f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        key_pepper=secrets.token_hex(32),
        api_keys=(),
    )


def _read(path: Path) -> Secrets | None:
    try:
        stored = json.loads(path.read_text())
        return Secrets(**{**stored, "api_keys": tuple(stored["api_keys"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise StackError(
            f"{path} is damaged ({error}): restore it from a copy, or use another data folder; "
            f"without it the database of this one cannot be opened"
        ) from error
