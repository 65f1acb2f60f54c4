"""The shapes of the installation's parts."""

from datetime import UTC, datetime, timedelta

from piperoll.domain.durations import bins_of
from piperoll.log.record import Position
from piperoll.log.redriving import Waiting
from piperoll.log.topics.groups import Group, Member
from schemas.topics import ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS
from services.api.system import views
from services.api.system.tables import EndsRow, QueueRow

NOW = datetime(2026, 1, 1, 12, 34, 56, tzinfo=UTC)
ENDS = {JOB_EVENTS.name: {0: 10, 1: 4}, JOB_DELIVERIES.name: {0: 3}}


def row(owner: str, pending: int, oldest_s: int | None = None, *workers: str) -> QueueRow:
    at = None if oldest_s is None else NOW - timedelta(seconds=oldest_s)
    return QueueRow(owner, "pdf", pending, len(workers), workers, None if at is None else f"job-of-{owner}", at)


def test_a_service_has_its_processes_over_all_its_groups_and_the_sum_of_their_lags() -> None:
    groups = [
        Group("piperoll.worker", JOB_EVENTS.name, (Member("w-1", frozenset({0}), 4), Member("w-2", frozenset({1}))),
              {0: 7, 1: 4}),
        Group("piperoll.projector", JOB_EVENTS.name, (Member("p-1", frozenset({0, 1})),), {0: 10, 1: 3}),
        Group("piperoll.projector.deliveries", JOB_DELIVERIES.name, (Member("p-1", frozenset({0})),), {0: 1}),
        Group("piperoll.notifier", JOB_EVENTS.name, (), {0: 10}),
    ]  # fmt: skip
    api, worker, projector, notifier = views.services(groups, ENDS, ["a-1"], [row("acme", 0, None, "w-1", "w-1")])
    assert api["processes"] == [{"instance": "a-1"}]
    assert worker["processes"] == [
        {"instance": "w-1", "partitions": 1, "slots": 4, "running": 2},
        {"instance": "w-2", "partitions": 1, "slots": None, "running": 0},
    ]
    assert worker["lag"] == 3
    assert projector["processes"] == [{"instance": "p-1", "partitions": 3}]
    assert projector["lag"] == 3
    assert (notifier["processes"], notifier["lag"]) == ([], None), "a partition was never committed"


def test_what_the_tables_know_is_unknown_without_them() -> None:
    groups = [Group("piperoll.worker", JOB_EVENTS.name, (Member("w-1", frozenset({0}), 4),), {0: 10, 1: 4})]
    api, worker, *_ = views.services(groups, ENDS, None, None)
    assert api["processes"] is None
    assert worker["processes"][0]["running"] is None
    assert worker["lag"] == 0


def test_a_position_ahead_of_the_end_as_it_was_read_is_no_lag() -> None:
    assert Group("piperoll.worker", JOB_EVENTS.name, (), {0: 12, 1: 4}).lag(ENDS[JOB_EVENTS.name]) == 0


def test_the_oldest_job_of_the_queue_is_that_of_any_owner() -> None:
    found = views.queue([row("many", 50, 10), row("acme", 1, 900, "w-1"), row("later", 3)])
    assert (found["pending"], found["processing"]) == (54, 1)
    assert found["oldest"]["job_id"] == "job-of-acme"
    assert [group["owner"] for group in found["groups"]] == ["many", "acme", "later"]
    assert views.queue([]) == {"pending": 0, "processing": 0, "oldest": None, "groups": [], "left_out": 0}


def test_a_queue_of_many_owners_shows_those_with_the_most_and_the_number_of_others() -> None:
    found = views.queue([row(f"owner-{number}", 1) for number in range(views.MOST_QUEUES + 7)])
    assert (len(found["groups"]), found["left_out"], found["pending"]) == (views.MOST_QUEUES, 7, views.MOST_QUEUES + 7)


def test_the_plots_have_a_point_for_each_minute_and_hour_also_without_an_end() -> None:
    minute, hour = NOW.replace(second=0), NOW.replace(minute=0, second=0)
    rows = [
        EndsRow(60, minute, 3, 1, 0, bins_of([1.0, 1.0, 1.0, 20.0])),
        EndsRow(60, minute - timedelta(minutes=59), 1, 0, 2, bins_of([0.25])),
        EndsRow(3600, hour, 4, 1, 2, bins_of([1.0] * 5)),
        EndsRow(3600, hour - timedelta(days=1), 9, 9, 9, []),
    ]
    found = views.plots(rows, NOW)
    points = found["hour"]["points"]
    assert (len(points), points[0]["at"], points[-1]["at"]) == (60, "2026-01-01T11:35:00Z", "2026-01-01T12:34:00Z")
    assert (points[-1]["completed"], points[-1]["failed"]) == (3, 1)
    assert 0.9 < points[-1]["p50_s"] < 1.1 < 18 < points[-1]["p95_s"] < 22
    assert points[1] == {**points[1], "completed": 0, "failed": 0, "cancelled": 0, "p50_s": None, "p95_s": None}
    assert points[0]["cancelled"] == 2
    assert len(found["day"]["points"]) == 24
    assert sum(point["completed"] for point in found["day"]["points"]) == 4, "an hour of yesterday is not shown"
    assert views.first_spans(NOW) == {"hour": minute - timedelta(minutes=59), "day": hour - timedelta(hours=23)}


def test_dead_letters_are_counted_by_place_and_shown_newest_first_after_stopped_partitions() -> None:
    def one(topic: str, offset: int, at: str, stopped: bool = False) -> Waiting:
        return Waiting(topic, Position(2, offset), "job-a", "", "why", at, stopped, consumers=["piperoll.worker"])

    found = views.letters(
        [
            one(JOB_EVENTS.name, 5, "2026-01-01T10:00:00"),
            one(ENDPOINT_EVENTS.name, 7, "2026-01-01T11:00:00"),
            one(JOB_EVENTS.name, 9, "2026-01-01T09:00:00", stopped=True),
        ],
        complete=False,
    )
    assert [letter["id"] for letter in found["newest"]] == ["jobs-2-9", "endpoints-2-7", "jobs-2-5"]
    assert (found["count"], found["stopped"], found["complete"]) == (3, 1, False)
    assert {(place["topic"], place["count"]) for place in found["places"]} == {
        (JOB_EVENTS.name, 2),
        (ENDPOINT_EVENTS.name, 1),
    }
