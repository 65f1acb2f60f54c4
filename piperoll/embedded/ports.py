"""Free ports on 127.0.0.1, stored so that a restart keeps them."""

import json
import random
import socket
from pathlib import Path

from piperoll.embedded.errors import StackError
from piperoll.embedded.files import write_private

HOST = "127.0.0.1"

# Below Linux's range for local ports of outgoing connections (32768 and up by default). Inside that range, a client
# that retries a server which is down can get the server's port as its local port, connect to itself and block it.
_RANGE = range(20_000, 32_000)
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could bind 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT does not block the port
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(taken: frozenset[int] = frozenset()) -> int:
    """Return a port that is free now and not in `taken`; StackError when none of 200 random ones is."""
    for _ in range(_TRIES):
        port = random.choice(_RANGE)
        if port not in taken and is_free(port):
            return port
    raise StackError(
        f"no free port found between {_RANGE.start} and {_RANGE.stop - 1} on {HOST}: stop some servers, then try again"
    )


class PortBook:
    """The ports of one data folder by name, in `ports.json`. A port is kept unless another program has taken it."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "ports.json"

    def assign(self, name: str) -> int:
        """Return the stored port of `name` if it is free, else choose and store a new one."""
        book = self._read()
        port = book.get(name)
        if port is None or not is_free(port):
            book[name] = port = free_port(frozenset(book.values()))
            write_private(self._path, json.dumps(book, indent=2))
        return port

    def _read(self) -> dict[str, int]:
        try:
            return {str(name): int(port) for name, port in json.loads(self._path.read_text()).items()}
        except FileNotFoundError:
            return {}
        except (ValueError, AttributeError) as error:
            raise StackError(f"{self._path} is damaged ({error}): delete it, then try again") from error
