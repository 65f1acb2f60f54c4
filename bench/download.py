"""A client that downloads a ZIP and keeps nothing of it: a process of its own, timed by itself.

Reads `{"host", "port", "key", "path"}` from standard input; answers bytes, files in the ZIP, and seconds.
"""

import json
import sys
import time
from http.client import HTTPConnection

CHUNK = 256 * 1024
TIMEOUT_S = 120.0
END_RECORD = 22  # bytes of a ZIP's last record (APPNOTE 4.3.16), which says how many files there are
COUNT = slice(10, 12)


def main() -> None:
    """One download."""
    order = json.load(sys.stdin)
    began, cpu = time.monotonic(), time.process_time()
    connection = HTTPConnection(order["host"], order["port"], timeout=TIMEOUT_S)
    connection.request("GET", order["path"], headers={"Authorization": f"Bearer {order['key']}"})
    response = connection.getresponse()
    if response.status != 200:
        sys.exit(f"status {response.status}: {response.read(500)!r}")
    total, tail, first_s = 0, b"", None
    while chunk := response.read(CHUNK):
        first_s = first_s or time.monotonic() - began
        total, tail = total + len(chunk), (tail + chunk)[-END_RECORD:]
    answer = {
        "bytes": total,
        "files": int.from_bytes(tail[COUNT], "little"),
        "seconds": time.monotonic() - began,
        "first_s": first_s,
        "cpu_s": time.process_time() - cpu,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
