"""The shapes in which the parts of the installation are shown (docs/contract/additions.md#system). Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from piperoll.domain.durations import quantile
from piperoll.log.record import Position
from piperoll.log.redriving import Waiting, short_name
from piperoll.log.topics.groups import Group, Member
from piperoll.verification import Verification
from services.api.http.answers import timestamp
from services.api.system.tables import EndsRow, QueueRow, ReceiverRow

Json = dict[str, Any]

SERVICES: Final = ("worker", "projector", "notifier")
MOST_QUEUES: Final = 200
MOST_LETTERS: Final = 100
SPANS: Final = {"hour": (60, 60), "day": (3600, 24)}
"""The plots: the seconds of a span, and how many spans there are."""


def services(
    groups: Iterable[Group],
    ends: Mapping[str, Mapping[int, int]],
    apis: Sequence[str] | None,
    queue: Sequence[QueueRow] | None,
) -> list[Json]:
    """Return the services: the API by its sessions in Postgres, the others by their consumer groups.

    `ends` are the ends of the topics. `apis` and `queue` are None while they are unknown.
    """
    runs = None if queue is None else Counter(worker for row in queue for worker in row.workers)
    known = list(groups)
    processes = None if apis is None else [{"instance": name} for name in apis]
    api: Json = {"service": "api", "processes": processes, "lag": None, "readers": []}
    return [api, *(_service(name, [one for one in known if one.service == name], ends, runs) for name in SERVICES)]


def _service(
    name: str, groups: Sequence[Group], ends: Mapping[str, Mapping[int, int]], runs: Counter[str] | None
) -> Json:
    members: dict[str, list[Member]] = {}
    for one in (member for group in groups for member in group.members):
        members.setdefault(one.instance, []).append(one)
    lags = [group.lag(ends[group.topic]) for group in groups]
    known = [lag for lag in lags if lag is not None]
    return {
        "service": name,
        "processes": [_process(name, instance, members[instance], runs) for instance in sorted(members)],
        "lag": sum(known) if len(known) == len(lags) else None,
        "readers": [
            {"group": group.name, "topic": group.topic, "lag": lag} for group, lag in zip(groups, lags, strict=True)
        ],
    }


def _process(service: str, instance: str, members: Sequence[Member], runs: Counter[str] | None) -> Json:
    """One process, which is a member of each group of its service."""
    process: Json = {"instance": instance, "partitions": sum(len(one.partitions) for one in members)}
    if service == "worker":
        process["slots"] = next((one.slots for one in members if one.slots is not None), None)
        process["running"] = None if runs is None else runs[instance]
    return process


def queue(rows: Sequence[QueueRow]) -> Json:
    """Return the sums, the oldest job that could run, and the owners and types with the most waiting jobs."""
    oldest = min(((row.oldest_at, row) for row in rows if row.oldest_at), key=lambda one: one[0], default=None)
    return {
        "pending": sum(row.pending for row in rows),
        "processing": sum(row.processing for row in rows),
        "oldest": None if oldest is None else _oldest(*oldest),
        "groups": [
            {
                "owner": row.owner,
                "job_type": row.job_type,
                "pending": row.pending,
                "processing": row.processing,
                "oldest_at": None if row.oldest_at is None else timestamp(row.oldest_at),
            }
            for row in rows[:MOST_QUEUES]
        ],
        "left_out": max(0, len(rows) - MOST_QUEUES),
    }


def _oldest(at: datetime, row: QueueRow) -> Json:
    return {"job_id": row.oldest_id, "owner": row.owner, "job_type": row.job_type, "created_at": timestamp(at)}


def receivers(rows: Iterable[ReceiverRow]) -> list[Json]:
    """Return the failing receivers."""
    return [
        {
            "owner": row.owner,
            "origin": row.origin,
            "kind": row.kind,
            "waiting": row.waiting,
            "attempts": row.attempts,
            "next_attempt_at": timestamp(row.next_attempt_at),
            "job_id": row.job_id,
            "reason": row.reason,
            "status": row.status,
        }
        for row in rows
    ]


def first_spans(now: datetime) -> dict[str, datetime]:
    """Return the beginning of each plot, which ends with the span that `now` is in."""
    return {
        name: _begin(now, seconds) - timedelta(seconds=seconds * (count - 1))
        for name, (seconds, count) in SPANS.items()
    }


def plots(rows: Iterable[EndsRow], now: datetime) -> Json:
    """Return the points of the last hour by minute and of the last day by hour, also those in which nothing ended."""
    found = {(row.seconds, row.at): row for row in rows}
    return {
        name: {
            "seconds": seconds,
            "points": [
                _point(found.get((seconds, at)), at)
                for at in (begin + timedelta(seconds=seconds * number) for number in range(count))
            ],
        }
        for (name, (seconds, count)), begin in zip(SPANS.items(), first_spans(now).values(), strict=True)
    }


def _point(row: EndsRow | None, at: datetime) -> Json:
    point: Json = {"at": timestamp(at), "completed": 0, "failed": 0, "cancelled": 0, "p50_s": None, "p95_s": None}
    if row is None:
        return point
    p50, p95 = (quantile(row.bins, share) for share in (0.5, 0.95))
    numbers = {"completed": row.completed, "failed": row.failed, "cancelled": row.cancelled}
    return {**point, **numbers, "p50_s": _rounded(p50), "p95_s": _rounded(p95)}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _begin(time: datetime, seconds: int) -> datetime:
    stamp = int(time.timestamp())
    return datetime.fromtimestamp(stamp - stamp % seconds, UTC)


def letter_id(topic: str, position: Position) -> str:
    """Return the id of a record in paths, such as `jobs-3-120`."""
    return f"{short_name(topic)}-{position.partition}-{position.offset}"


def id_of(one: Waiting) -> str:
    """Return the id of a record that waits."""
    return letter_id(one.topic, one.position)


def letters(found: Sequence[Waiting], complete: bool) -> Json:
    """Return the records that wait for a decision: how many, where, and the newest ones, stopped partitions first."""
    places = Counter((one.topic, one.position.partition) for one in found)
    shown = sorted(found, key=lambda one: (one.stopped, one.at), reverse=True)[:MOST_LETTERS]
    return {
        "count": len(found),
        "stopped": sum(one.stopped for one in found),
        "places": [
            {"topic": topic, "partition": part, "count": count} for (topic, part), count in sorted(places.items())
        ],
        "newest": [_letter(one) for one in shown],
        "complete": complete,
    }


def _letter(one: Waiting) -> Json:
    return {
        "id": id_of(one),
        "topic": one.topic,
        "partition": one.position.partition,
        "offset": one.position.offset,
        "key": one.key,
        "type": one.type or None,
        "reason": one.why,
        "at": one.at,
        "state": "stopped" if one.stopped else "parked",
        "by": one.consumers,
    }


def verify(found: Verification | None) -> Json | None:
    """Return the verdict of the last verification; None if there was none."""
    if found is None:
        return None
    return {
        "verdict": "holds" if found.holds else "violated",
        "ended_at": timestamp(found.ended_at),
        "seconds": round(found.seconds, 1),
        "records": found.records,
        "jobs": found.jobs,
        "documents": found.documents,
        "violations": found.violations,
        "sentences": list(found.sentences),
    }
