"""The image and the compose file, as far as they can be judged without a container engine.

What is wanted of a compose file is written down here from the Compose Specification, strictly: a key that is not
listed is refused, so a new one has to be looked up. `deploy/check` carries out the image's steps.
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from piperoll.cli.main import app
from piperoll.log.topics.rights import commands, principal_of
from piperoll.service_secrets import USERS
from piperoll.settings import Settings
from schemas.topics import MANIFEST

DEPLOY = Path(__file__).parents[3] / "deploy"
SERVICES = ("api", "worker", "projector", "notifier")
SERVICE_KEYS = {
    "image": str,
    "build": dict,
    "command": list,
    "environment": dict,
    "ports": list,
    "volumes": list,
    "depends_on": dict,
    "healthcheck": dict,
    "restart": str,
    "stop_grace_period": str,
    "cap_drop": list,
    "security_opt": list,
    "mem_limit": str,
    "pids_limit": int,
}
HEALTH_KEYS = {"test", "interval", "timeout", "start_period", "start_interval", "retries", "disable"}
DURATIONS = {"interval", "timeout", "start_period", "start_interval", "stop_grace_period"}
DURATION = re.compile(r"([0-9]+(us|ms|s|m|h))+")
RESTARTS = {"no", "always", "on-failure", "unless-stopped"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
INSTRUCTIONS = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
ACCOUNT = "PIPEROLL_KAFKA_PASSWORD"
GIVEN = ("postgres_dsn", "seal_keys", "key_pepper", "bootstrap_keys")
SECRETS = {
    service: {ACCOUNT} | {f"PIPEROLL_{name.upper()}" for name in GIVEN if service in USERS[name]}
    for service in SERVICES
}
KNOWN_SETTINGS = {f"PIPEROLL_{name.upper()}" for name in Settings.model_fields}


class OnceLoader(yaml.SafeLoader):
    """Refuses a key that a mapping has twice, as the Compose Specification's loader does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping. Raises ConstructorError."""
        names = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if twice := {name for name in names if names.count(name) > 1}:
            raise yaml.constructor.ConstructorError(None, None, f"has {twice} twice", node.start_mark)
        return super().construct_mapping(node, deep)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed = yaml.load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"), OnceLoader)
    assert isinstance(parsed, dict)
    return parsed


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """(instruction, arguments) by line."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_compose_file_has_only_known_keys_with_values_of_their_kind(compose: dict[str, Any]) -> None:
    assert {key for key in compose if not key.startswith("x-")} == {"name", "services", "volumes"}
    for name, service in compose["services"].items():
        assert service.keys() <= SERVICE_KEYS.keys(), name
        for key, value in service.items():
            assert isinstance(value, SERVICE_KEYS[key]), f"{name}.{key}"
        assert service["restart"] in RESTARTS
        health = service["healthcheck"]
        assert health.keys() <= HEALTH_KEYS, name
        assert health.get("disable") or health["test"][0] == "CMD", name
        for key, value in {**health, **service}.items():
            assert key not in DURATIONS or DURATION.fullmatch(value), f"{name}.{key}"


def test_every_service_has_a_limit_of_memory_and_a_worker_has_room_for_its_runs(compose: dict[str, Any]) -> None:
    limits = {name: service["mem_limit"] for name, service in compose["services"].items()}
    assert all(re.fullmatch(r"[0-9]+g", limit) for limit in limits.values()), limits
    worker = compose["services"]["worker"]
    settings = Settings.from_environment(worker["environment"])
    assert settings.slots * settings.job_memory_bytes < (int(limits["worker"].removesuffix("g")) - 1) * 1024**3
    assert worker["pids_limit"] > 128 * settings.slots


def test_whatever_a_service_waits_for_is_there_and_can_get_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, wanted in service.get("depends_on", {}).items():
            assert wanted.keys() == {"condition"}
            assert wanted["condition"] in CONDITIONS
            if wanted["condition"] == "service_healthy":
                assert "test" in services[other]["healthcheck"], f"{name} waits for {other}"
            if wanted["condition"] == "service_completed_successfully":
                assert services[other]["restart"] in ("no", "on-failure"), f"{other} never completes"


def test_every_value_of_an_environment_is_a_string_and_every_setting_is_known(compose: dict[str, Any]) -> None:
    for name, variable, value in environments(compose):
        assert isinstance(value, str), f"{name}: quote {variable}, YAML makes {value!r} of it"
        assert not variable.startswith("PIPEROLL_") or variable in KNOWN_SETTINGS, variable


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_given_settings_that_make_sense_and_no_secret_that_it_does_not_use(
    name: str, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = compose["services"][name]["environment"]
    settings = Settings.from_environment({variable: filled(value) for variable, value in given.items()})
    assert settings.kafka_bootstrap == "kafka:9092"
    assert SECRETS[name] == given.keys() & set().union(*SECRETS.values())


def test_the_four_services_run_from_one_image_and_see_one_blob_store(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {services[name]["image"] for name in SERVICES} == {services["topics"]["image"]}
    assert [services[name]["command"] for name in SERVICES] == [[name] for name in SERVICES]
    known = get_command(app).commands  # type: ignore[attr-defined]
    ours = [service for service in services.values() if service["image"] == services["topics"]["image"]]
    assert {service["command"][0] for service in ours} <= known.keys()
    for name in SERVICES:
        assert services[name]["volumes"] == ["blobs:/var/lib/piperoll/blobs"]


def test_every_volume_is_declared_and_used(compose: dict[str, Any]) -> None:
    mounted = {mount.split(":")[0] for one in compose["services"].values() for mount in one.get("volumes", [])}
    files = {name for name in mounted if name.startswith("./")}
    assert all((DEPLOY / name).is_file() for name in files)
    assert mounted - files == compose["volumes"].keys()


def test_each_service_has_an_account_in_kafka_with_the_rights_that_it_needs(compose: dict[str, Any]) -> None:
    operator = Settings.from_environment(compose["services"]["topics"]["environment"])
    assert compose["services"]["kafka"]["environment"]["KAFKA_SUPER_USERS"] == f"User:{operator.kafka_username}"
    given = []
    for name in SERVICES:
        environment = compose["services"][name]["environment"]
        assert principal_of(name, operator.kafka_principals) == f"User:{environment['PIPEROLL_KAFKA_USERNAME']}"
        assert environment[ACCOUNT].startswith(f"${{KAFKA_{name.upper()}_PASSWORD:")
        assert compose["services"][name]["depends_on"]["rights"] == {"condition": "service_completed_successfully"}
        given += commands(name, operator.kafka_principals, operator.kafka_bootstrap)
    script = (DEPLOY / "rights.sh").read_text(encoding="utf-8").splitlines()
    assert [line for line in script if line.startswith("kafka-acls.sh ")] == given
    assert compose["services"]["rights"]["volumes"] == ["./rights.sh:/rights.sh:ro"]


def test_only_the_api_is_published_and_only_to_this_machine(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:5001:5001"]}


def test_the_broker_can_hold_what_the_manifest_asks_for(compose: dict[str, Any]) -> None:
    broker = compose["services"]["kafka"]["environment"]
    settings = Settings.from_environment(compose["services"]["topics"]["environment"])
    assert settings.replication_factor == 1, "there is one broker"
    assert broker["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false", f"{MANIFEST[0].name} would be made with one partition"
    assert broker["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == "1"


def test_every_secret_is_asked_for_by_name_and_the_example_names_them_all_and_holds_none(
    compose: dict[str, Any],
) -> None:
    example = (DEPLOY / ".env.example").read_text(encoding="utf-8")
    named = dict(line.split("=", 1) for line in example.splitlines() if line and not line.startswith("#"))
    assert set(named.values()) == {""}
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    asked = re.findall(r"\$\{(\w+)([^}]*)\}", text)
    assert {variable for variable, _ in asked} == named.keys()
    assert {message for _, message in asked} == {":?set it in deploy/.env"}
    assert ".env" in (DEPLOY / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_image_runs_as_an_unprivileged_user_and_starts_the_command(dockerfile: list[tuple[str, str]]) -> None:
    steps = dict(dockerfile)
    assert {instruction for instruction, _ in dockerfile} <= INSTRUCTIONS
    assert re.fullmatch(r"python:3\.\d+-slim", steps["FROM"])
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", steps["USER"])
    assert steps["ENTRYPOINT"] == '["piperoll"]'
    assert "/health/live" in steps["HEALTHCHECK"]
    order = [instruction for instruction, _ in dockerfile]
    assert order.index("USER") > max(at for at, instruction in enumerate(order) if instruction == "RUN")


def test_the_image_installs_by_hash_and_copies_what_exists_and_is_let_through(
    dockerfile: list[tuple[str, str]],
) -> None:
    runs = [arguments for instruction, arguments in dockerfile if instruction == "RUN"]
    for lock in ("requirements.lock", "requirements-build.lock"):
        assert any(f"--require-hashes -r {lock}" in run for run in runs)
    assert all(mark in run for run in runs if " ." in run for mark in ("--no-build-isolation", "--no-deps"))
    let_through = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for sources in (arguments.split()[:-1] for instruction, arguments in dockerfile if instruction == "COPY"):
        for source in sources:
            assert (DEPLOY.parent / source).exists(), source
            assert f"!{source}" in let_through, source


def test_the_image_s_settings_are_known(dockerfile: list[tuple[str, str]]) -> None:
    given = re.findall(r"(PIPEROLL_\w+)=", " ".join(arguments for kind, arguments in dockerfile if kind == "ENV"))
    assert given
    assert set(given) <= KNOWN_SETTINGS


def environments(compose: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(service, variable, value) of every variable that is set."""
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            yield name, variable, value


def filled(value: str) -> str:
    """A value with each variable of deploy/.env filled in."""
    sealing_key = f"k1:{base64.b64encode(bytes(32)).decode()}"
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda found: sealing_key if "SEAL" in found[1] else "5ec4e7", value)
