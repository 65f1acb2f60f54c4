"""Waits for the newest extraction of one document, then counts the jobs of the day."""

import time
from collections import Counter
from typing import Any

import requests

BASE = "https://api.devana.ai/v1"
HEADERS = {"Authorization": "Bearer YOUR_API_KEY"}


def jobs(**query: Any) -> list[dict[str, Any]]:
    reply = requests.get(f"{BASE}/jobs", headers=HEADERS, params=query, timeout=30)
    reply.raise_for_status()
    return list(reply.json()["data"])


def follow(target: str, job_type: str, at_most_s: float) -> str:
    end = time.monotonic() + at_most_s
    while time.monotonic() < end:
        newest = next(iter(jobs(targetId=target, type=job_type, limit=1)), None)
        if newest is None:
            return f"no job is about {target}"
        print(f"{newest['id']}: {newest['status']} ({newest.get('progress', 0)}%)")
        if newest["status"] == "DONE":
            return f"ended well: {newest}"
        if newest["status"] == "ERROR":
            return f"failed: {newest['error']}"
        time.sleep(2)
    return f"still not ended after {at_most_s:g} s"


if __name__ == "__main__":
    print(follow("cm4doc123abc", "EXTRACTION", 120))
    today = jobs(limit=100)
    by_status = {name.lower(): count for name, count in Counter(job["status"] for job in today).items()}
    by_type = dict(Counter(job["type"] for job in today))
    print({"total": len(today), **by_status, "by_type": by_type})
