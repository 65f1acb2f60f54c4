"""Downloads in this process, and how they fail."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.fetch.download import Download

LOOPBACK = (ip_network("127.0.0.0/8"),)

Fetch = Callable[..., Download]


def refusal(get: Fetch, url: str, **changed: Any) -> tuple[ErrorCode, bool]:
    with pytest.raises(ProcessingError) as failed:
        get(url, **changed)
    assert len(failed.value.message.split()) >= 5
    return failed.value.code, failed.value.retryable
