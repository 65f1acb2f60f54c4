"""Settings: read from variables, refused with a sentence that names the variable, printed without secrets."""

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from piperoll.settings import Settings

KEY = base64.b64encode(bytes(range(32))).decode()


def given(**variables: str) -> Settings:
    return Settings.from_environment({f"PIPEROLL_{name.upper()}": value for name, value in variables.items()})


def test_the_environment_of_the_process_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEROLL_SLOTS", "7")
    assert Settings().slots == 7


def test_settings_of_another_stack_ignore_the_environment_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEROLL_POSTGRES_DSN", "postgresql://elsewhere/production")
    monkeypatch.setenv("PIPEROLL_SLOTS", "7")
    settings = given(partitions="3")
    assert "elsewhere" not in settings.postgres_dsn.get_secret_value()
    assert (settings.partitions, settings.slots == 7) == (3, False)


def test_variables_that_are_not_ours_are_ignored() -> None:
    assert Settings.from_environment({"PATH": "/bin", "PIPEROLL_UNHEARD_OF": "1"}).partitions == 24


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("partitions", "0"),
        ("partitions", "many"),
        ("slots", "0"),
        ("log_level", "loud"),
        ("health_port", "65536"),
        ("append_deadline_s", "0"),
        ("retry_cap_s", "1e12"),
        ("kafka_ca", "/nowhere/ca.pem"),
        ("kafka_certificate", __file__),  # without TLS
        ("kafka_principals", "User:piperoll"),
        ("files_roots", "documents"),
        ("files_roots", "/srv:relative"),
        ("allow_private_networks", "127.0.0.0/8,nonsense"),
        ("allow_private_sources", "127.0.0.0/8,nonsense"),
        ("delivery_schedule_s", "0,soon"),
        ("delivery_schedule_s", "0,-1"),
        ("delivery_schedule_s", "nan"),
        ("delivery_schedule_s", ""),
        ("seal_keys", "k1"),
        ("seal_keys", f":{KEY}"),
        ("seal_keys", f"k.1:{KEY}"),
        ("seal_keys", "k1:!!!!"),
        ("seal_keys", "k1:c2hvcnQ="),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_at_the_start_and_named(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        given(**{name: value})
    assert [problem["loc"] for problem in refused.value.errors()] == [(name,)]


def test_a_refused_sealing_key_is_not_shown() -> None:
    with pytest.raises(ValidationError) as refused:
        given(seal_keys=f"k1:{KEY},k2:{KEY[:20]}")
    assert KEY[:20] not in str(refused.value)


def test_lists_are_parsed(tmp_path: Path) -> None:
    settings = given(
        files_roots=f"{tmp_path}:/srv/scans",
        allow_private_networks="127.0.0.0/8, ::1/128,10.1.2.3",
        delivery_schedule_s="0,5,300",
        seal_keys=f"k2:{KEY},k1:{KEY}",
    )
    assert settings.roots == (tmp_path.resolve(), Path("/srv/scans").resolve())
    assert [str(network) for network in settings.private_networks] == ["127.0.0.0/8", "::1/128", "10.1.2.3/32"]
    assert settings.delivery_delays == (0.0, 5.0, 300.0)
    assert list(settings.sealing_keys.items()) == [("k2", bytes(range(32))), ("k1", bytes(range(32)))]


def test_nothing_given_means_nothing_allowed() -> None:
    settings = given()
    found = (settings.roots, settings.private_networks, settings.private_sources, settings.sealing_keys)
    assert found == ((), (), (), {})


def test_what_is_printed_holds_no_secret() -> None:
    secrets = {
        "kafka_password": "hunter2",
        "kafka_key_password": "hunter2",
        "postgres_dsn": "postgresql://piperoll:hunter2@db/piperoll",
        "seal_keys": f"k1:{KEY}",
        "key_pepper": "hunter2",
        "bootstrap_keys": "pr_1.hunter2",
    }
    printed = f"{given(**secrets).redacted()} {given(**secrets)!r}"
    assert "hunter2" not in printed
    assert KEY not in printed


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        given().slots = 3  # type: ignore[misc]
