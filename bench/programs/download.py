"""A client that downloads a ZIP and discards it, a separate process that measures its own time.

Reads `{"host", "port", "key", "path"}` from standard input; prints bytes, files in the ZIP, and seconds.
"""

import json
import sys
import time
from http.client import HTTPConnection

CHUNK = 256 * 1024
TIMEOUT_S = 120.0
END_RECORD = 22  # bytes of a ZIP's last record (APPNOTE 4.3.16), which has the number of files
COUNT = slice(10, 12)


def main() -> None:
    """Download once."""
    order = json.load(sys.stdin)
    began = time.monotonic()
    connection = HTTPConnection(order["host"], order["port"], timeout=TIMEOUT_S)
    connection.request("GET", order["path"], headers={"Authorization": f"Bearer {order['key']}"})
    response = connection.getresponse()
    if response.status != 200:
        sys.exit(f"status {response.status}: {response.read(500)!r}")
    total, tail = 0, b""
    while chunk := response.read(CHUNK):
        total, tail = total + len(chunk), (tail + chunk)[-END_RECORD:]
    seconds = time.monotonic() - began
    print(json.dumps({"bytes": total, "files": int.from_bytes(tail[COUNT], "little"), "seconds": seconds}))


if __name__ == "__main__":
    main()
