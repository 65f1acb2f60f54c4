"""What the doctor makes of settings: pure findings, each with what to do."""

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.cli.diagnosis import NO_SPACE, Finding, of_memory, of_python, of_settings, of_space, of_user, of_vectors
from piperoll.settings import Settings

SEAL_KEY = f"k1:{base64.b64encode(bytes(32)).decode()}"


def findings(embedded: bool = False, **given: Any) -> dict[str, Finding]:
    sound = {"seal_keys": SEAL_KEY, "key_pepper": "0" * 64, "files_roots": "", "bootstrap_keys": ""}
    return {one.subject: one for one in of_settings(Settings(**{**sound, **given}), embedded)}


def test_sound_settings_give_no_warning() -> None:
    assert {one.level for one in findings().values()} == {"ok"}


@pytest.mark.parametrize(
    ("given", "subject", "level", "words"),
    [
        ({"seal_keys": ""}, "secrets", "fail", "PIPEROLL_SEAL_KEYS"),
        ({"key_pepper": ""}, "secrets", "fail", "PIPEROLL_KEY_PEPPER"),
        ({"bootstrap_keys": "secret"}, "API keys", "warn", "PIPEROLL_BOOTSTRAP_KEYS"),
        ({"enable_noop": True}, "noop jobs", "warn", "PIPEROLL_ENABLE_NOOP"),
        ({"allow_private_networks": "0.0.0.0/0"}, "webhooks", "warn", "0.0.0.0/0"),
        ({"allow_private_networks": "10.0.0.0/8,127.0.0.0/8"}, "webhooks", "warn", "10.0.0.0/8"),
        ({"allow_private_networks": "fc00::/7"}, "webhooks", "warn", "fc00::/7"),
        ({"allow_private_sources": "127.0.0.1/32"}, "sources", "warn", "PIPEROLL_ALLOW_PRIVATE_SOURCES"),
        ({"bootstrap_keys": "k" * 31}, "API keys", "warn", "PIPEROLL_BOOTSTRAP_KEYS"),
        ({"files_roots": "/"}, "files", "fail", "PIPEROLL_FILES_ROOTS"),
        ({"files_roots": "/srv", "blob_url": "file:///srv/blobs"}, "files", "fail", "overlap"),
        ({"files_roots": "/srv/blobs/x", "blob_url": "file:///srv/blobs"}, "files", "fail", "overlap"),
        ({"replication_factor": 1}, "replication", "warn", "PIPEROLL_REPLICATION_FACTOR"),
        ({"kafka_bootstrap": "broker:9092"}, "exposure", "warn", "PIPEROLL_KAFKA_SECURITY"),
        ({"kafka_bootstrap": "broker:9092", "kafka_security": "SASL_PLAINTEXT"}, "exposure", "warn", "SASL_SSL"),
        ({"postgres_dsn": "postgresql://a:b@db:5432/c"}, "exposure", "warn", "sslmode=verify-full"),
        ({"postgres_dsn": "postgresql://a:b@db/c?sslmode=prefer"}, "exposure", "warn", "PIPEROLL_POSTGRES_DSN"),
        ({"api_host": "0.0.0.0"}, "exposure", "warn", "0.0.0.0"),
    ],
)
def test_a_dangerous_setting_is_named(given: dict[str, Any], subject: str, level: str, words: str) -> None:
    found = findings(**given)[subject]

    assert (found.level, words in found.sentence) == (level, True), found


@pytest.mark.parametrize(
    "given",
    [
        {"allow_private_networks": "127.0.0.0/8,::1/128"},
        {"allow_private_networks": "10.1.2.0/24"},
        {"allow_private_sources": "10.1.2.0/24"},
        {"bootstrap_keys": "k" * 32},
        {"files_roots": "/srv/in", "blob_url": "file:///srv/blobs"},
        {"files_roots": "/srv/in", "blob_url": "s3://bucket"},
        {"kafka_bootstrap": "broker:9093", "kafka_security": "SASL_SSL"},
        {"postgres_dsn": "postgresql://a:b@db:5432/c?sslmode=verify-full&sslrootcert=/ca.pem"},
        {"postgres_dsn": "postgresql://a:b@[::1]:5432/c"},
        {"postgres_dsn": "postgresql:///c?host=/run/postgresql"},
    ],
)
def test_a_setting_that_is_meant_so_is_not_complained_about(given: dict[str, Any]) -> None:
    assert {one.level for one in findings(**given).values()} == {"ok"}


def test_one_copy_is_fine_where_there_is_one_machine() -> None:
    assert findings(embedded=True, replication_factor=1)["replication"].level == "ok"


@given(free=st.integers(0, 10**13))
def test_less_space_is_never_judged_better(free: int) -> None:
    order = ("fail", "warn", "ok")
    less, more = of_space(Path("/data"), free), of_space(Path("/data"), free + NO_SPACE)

    assert order.index(less.level) <= order.index(more.level)


@given(slots=st.integers(1, 256), total=st.integers(2**28, 2**42))
def test_memory_is_warned_about_exactly_when_the_jobs_cannot_fit(slots: int, total: int) -> None:
    settings = Settings(slots=slots)

    assert (of_memory(settings, total).level == "warn") == (slots * settings.job_memory_bytes > total)


def test_an_old_python_fails_and_root_is_warned_about() -> None:
    assert of_python((3, 10)).level == "fail"
    assert of_python((3, 11)).level == "ok"
    assert of_user(True, embedded=True).level == "warn"
    assert of_user(False, embedded=True).level == "ok"


def test_a_postgres_without_pgvector_fails_and_names_what_to_install() -> None:
    missing = of_vectors(None)
    assert missing.level == "fail"
    assert "postgresql-18-pgvector" in missing.sentence
    assert of_vectors("0.8.5").level == "ok"
