"""What one owner may have going on at a time: requests, waits, uploads, large bodies. Other owners are not affected."""

import asyncio
from contextlib import closing
from dataclasses import replace

import pytest

from piperoll.settings import Settings
from services.api.http import admission
from services.api.http.admission import Activity, Traffic, TrafficLimits
from services.api.http.errors import ApiError

DEFAULTS = TrafficLimits.of(Settings())
SMALL = replace(DEFAULTS, most={**dict.fromkeys(Activity, 2), Activity.REQUESTS: 3})


def refused(error: pytest.ExceptionInfo[ApiError]) -> tuple[int, str, object, bool]:
    one = error.value
    return one.status, one.code.value, one.details["quota"], int(one.headers["Retry-After"]) > 0


def test_an_owner_has_a_bounded_number_of_requests_in_work_and_another_one_is_not_affected() -> None:
    traffic = Traffic(SMALL)
    entered = [traffic.enter("greedy") for _ in range(3)]
    with pytest.raises(ApiError) as error:
        traffic.enter("greedy")
    assert refused(error) == (429, "QUOTA_EXCEEDED", "requests_at_a_time", True)
    traffic.enter("modest").close()
    entered.pop().close()
    traffic.enter("greedy").close()


def test_streams_and_long_polls_do_not_count_as_requests_in_work() -> None:
    traffic = Traffic(SMALL)
    for activity in (Activity.STREAMS, Activity.LONG_POLLS):
        for _ in range(2):
            traffic.enter("greedy").wait_as(activity)
        with closing(traffic.enter("greedy")) as late, pytest.raises(ApiError) as error:
            late.wait_as(activity)
        assert refused(error) == (429, "QUOTA_EXCEEDED", activity.value, True)
    assert traffic.count("greedy", Activity.REQUESTS) == 0


def test_what_a_request_began_ends_with_it() -> None:
    traffic = Traffic(SMALL)
    with closing(traffic.enter("owner")) as admitted:
        with admitted.upload():
            assert traffic.count("owner", Activity.UPLOADS) == 1
        admitted.wait_as(Activity.STREAMS)
        assert traffic.count("owner", Activity.STREAMS) == 1
    assert [traffic.count("owner", activity) for activity in Activity] == [0] * len(Activity)


def test_a_rate_is_bounded_after_a_burst_of_two_seconds() -> None:
    traffic = Traffic(replace(DEFAULTS, requests_per_s=5))
    for _ in range(10):
        traffic.enter("greedy").close()
    with pytest.raises(ApiError) as error:
        traffic.enter("greedy")
    assert refused(error) == (429, "QUOTA_EXCEEDED", "requests_per_second", True)
    traffic.enter("modest").close()


async def test_one_owner_cannot_hold_all_large_bodies() -> None:
    traffic = Traffic(DEFAULTS)
    held = [traffic.enter("greedy") for _ in range(4)]
    for admitted in held[:3]:
        await admitted.hold_large_body()
    late = asyncio.create_task(held[3].hold_large_body())
    with closing(traffic.enter("modest")) as modest:
        await asyncio.wait_for(modest.hold_large_body(), 1)
    assert not late.done()
    held[0].close()
    await asyncio.wait_for(late, 1)


async def test_a_request_that_waits_for_its_job_holds_its_body_no_longer() -> None:
    traffic = Traffic(DEFAULTS)
    with closing(traffic.enter("owner")) as admitted:
        await admitted.hold_large_body()
        admitted.wait_as(Activity.LONG_POLLS)
        assert traffic.count("owner", Activity.LARGE_BODIES) == 0
    assert traffic.count("owner", Activity.LONG_POLLS) == 0


async def test_a_large_body_that_finds_no_place_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "LARGE_WAIT_S", 0.01)
    traffic = Traffic(replace(DEFAULTS, large_bodies=1, most={**DEFAULTS.most, Activity.LARGE_BODIES: 1}))
    first, second = traffic.enter("greedy"), traffic.enter("modest")
    await first.hold_large_body()
    with pytest.raises(ApiError) as error:
        await second.hold_large_body()
    assert refused(error) == (429, "QUOTA_EXCEEDED", "large_bodies", True)
    first.close()
    await second.hold_large_body()


def test_the_defaults_do_not_hinder_200_requests_a_second() -> None:
    assert min(DEFAULTS.requests_per_s, DEFAULTS.shared_per_s) >= 200
    assert DEFAULTS.most[Activity.REQUESTS] >= 200
    assert DEFAULTS.most[Activity.UPLOADS] >= 200
