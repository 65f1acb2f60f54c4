"""Whether a consumer may still act as the owner of its partitions."""

from dataclasses import dataclass, field

import pytest

from piperoll.log.membership import Membership


@dataclass
class Coordinator:
    """The part of aiokafka's coordinator that is followed: a heartbeat that succeeds or not."""

    answers: list[bool] = field(default_factory=list)

    async def _do_heartbeat(self) -> bool:
        return self.answers.pop(0)


async def test_it_lapses_a_session_timeout_after_the_last_confirmation() -> None:
    time_s = 100.0
    membership = Membership(30.0, lambda: time_s)
    coordinator = Coordinator([True, False, True])
    membership.follow(coordinator)
    assert not membership.is_current(), "never assigned"
    membership.confirm()
    time_s = 120.0
    await coordinator._do_heartbeat()
    time_s = 149.0
    assert not await coordinator._do_heartbeat()
    assert membership.is_current()
    time_s = 150.0
    assert not membership.is_current()
    await coordinator._do_heartbeat()
    assert membership.is_current()


def test_a_client_library_without_heartbeats_is_refused() -> None:
    with pytest.raises(TypeError, match="adapt"):
        Membership(30.0).follow(object())
