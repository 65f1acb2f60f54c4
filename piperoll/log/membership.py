"""Whether a consumer is still a member of its group, as far as it can know.

A process that reaches the partitions but not the group's coordinator reads and writes on, while its partitions are
given to another one. Once a session timeout has passed without a confirmation, it must assume that.
"""

import time
from collections.abc import Callable
from typing import Any


class Membership:
    """The time since the coordinator last confirmed this member. `now` is in seconds, from any origin."""

    def __init__(self, session_timeout_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._session_timeout_s = session_timeout_s
        self._now = now
        self._confirmed_at: float | None = None

    def confirm(self) -> None:
        """The coordinator has just assigned partitions or answered a heartbeat."""
        self._confirmed_at = self._now()

    def is_current(self) -> bool:
        """Whether it was confirmed within a session timeout."""
        return self._confirmed_at is not None and self._now() - self._confirmed_at < self._session_timeout_s

    def follow(self, coordinator: Any) -> None:
        """Count the heartbeats of aiokafka's coordinator (0.14), which publishes no state of them."""
        beat = getattr(coordinator, "_do_heartbeat", None)
        if beat is None:
            raise TypeError("this version of aiokafka has no heartbeat to follow: adapt piperoll.log.membership")

        async def counted() -> bool:
            answered = bool(await beat())
            if answered:
                self.confirm()
            return answered

        coordinator._do_heartbeat = counted
