"""Settings of the notifiers that these tests run, and a database without signing keys."""

import asyncpg
import pytest

from piperoll import keys
from piperoll.settings import Settings


def settings_of(environment: dict[str, str], **changed: str) -> Settings:
    """Settings under which a notifier may call this machine."""
    given = {"ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8", **changed}
    return Settings.from_environment({**environment, **{f"PIPEROLL_{name}": value for name, value in given.items()}})


@pytest.fixture(scope="module")
def local(environment: dict[str, str]) -> Settings:
    return settings_of(environment)


@pytest.fixture(scope="module")
def quick(environment: dict[str, str]) -> Settings:
    """A short schedule, and timeouts that no test waits for."""
    return settings_of(
        environment,
        INSTANCE="one",
        DELIVERY_SCHEDULE_S="0,0.1,0.2",
        PROGRESS_TIMEOUT_S="3600",
        FINAL_TIMEOUT_S="3600",
    )


@pytest.fixture(scope="module")
def two_attempts(environment: dict[str, str]) -> Settings:
    """A schedule of two attempts, shortly after each other."""
    return settings_of(environment, INSTANCE="one", DELIVERY_SCHEDULE_S="0,0.1")


@pytest.fixture(scope="module")
def patient(environment: dict[str, str]) -> Settings:
    """Timeouts that no test waits for."""
    return settings_of(environment, INSTANCE="one", PROGRESS_TIMEOUT_S="3600", FINAL_TIMEOUT_S="3600")


@pytest.fixture
async def fresh(pool: asyncpg.Pool) -> asyncpg.Pool:
    """A database without keys."""
    await keys.prepare(pool)
    await pool.execute("TRUNCATE access.signing_keys")
    return pool
