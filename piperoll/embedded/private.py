"""The secrets of one data folder: generated once, stored in `private/secrets.json` (0600, the folder 0700)."""

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
    """The secrets of one stack.

    `seal_keys` is `id:base64` of 32 bytes, comma separated; `key_pepper` is hex of 32 bytes; `api_keys` are the keys
    of the owner `local`, the newest last.
    """

    postgres_password: str
    seal_keys: str
    key_pepper: str
    api_keys: tuple[str, ...]
    kafka_password: str


def load_secrets(data_dir: Path, api_keys: Iterable[str] = ()) -> Secrets:
    """Return the secrets of `data_dir`, generated the first time. `api_keys` replace those of the folder.

    An API key is generated only when there is none. StackError when the file is damaged.
    """
    path = private_folder(data_dir / "private") / "secrets.json"
    stored = _read(path)
    secret = stored or _generate()
    keys = tuple(dict.fromkeys(api_keys)) or secret.api_keys
    current = replace(
        secret,
        api_keys=keys or (f"pr_{secrets.token_hex(4)}.{secrets.token_urlsafe(32)}",),
        kafka_password=secret.kafka_password or secrets.token_urlsafe(32),  # an older folder has none
    )
    if current != stored:
        write_private(path, json.dumps(asdict(current), indent=2))
    return current


def add_seal_key(data_dir: Path, key: str) -> None:
    """Put a sealing key in front of those of `data_dir`, for its next start. StackError if it is not a data folder."""
    path = data_dir / "private" / "secrets.json"
    if (stored := _read(path)) is None:
        raise StackError(f"{data_dir} is not a data folder of `piperoll up`: {path} does not exist")
    write_private(path, json.dumps(asdict(replace(stored, seal_keys=f"{key},{stored.seal_keys}")), indent=2))


def _generate() -> Secrets:
    return Secrets(
        postgres_password=secrets.token_urlsafe(24),
        seal_keys=f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        key_pepper=secrets.token_hex(32),
        api_keys=(),
        kafka_password="",
    )


def _read(path: Path) -> Secrets | None:
    try:
        stored = json.loads(path.read_text())
        return Secrets(**{"kafka_password": "", **stored, "api_keys": tuple(stored["api_keys"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise StackError(
            f"{path} is damaged ({error}): restore it from a backup, or use another data folder; "
            f"without it the database of this folder cannot be opened"
        ) from error
