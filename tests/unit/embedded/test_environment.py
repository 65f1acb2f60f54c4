"""The settings that a stack hands to its services and writes to stack.json."""

import base64
from pathlib import Path

from piperoll.embedded.environment import Addresses, shared_settings
from piperoll.embedded.private import Secrets
from piperoll.settings import Settings

KAFKA = {"PIPEROLL_KAFKA_BOOTSTRAP": "127.0.0.1:9092", "PIPEROLL_KAFKA_SECURITY": "SASL_PLAINTEXT"}
ADDRESSES = Addresses(KAFKA, "postgresql://here", 5001, Path("/data/blobs"))
SECRETS = Secrets(
    postgres_password="p",
    seal_keys=f"k:{base64.b64encode(bytes(32)).decode()}",
    key_pepper="pepper",
    api_keys=("key",),
    kafka_password="q",
)


def shared(**inherited: str) -> dict[str, str]:
    return shared_settings(inherited, ADDRESSES, SECRETS, 24, {"PIPEROLL_SLOTS": "2"})


def test_a_service_that_is_added_later_gets_the_settings_that_the_stack_inherited() -> None:
    found = shared(PIPEROLL_ENABLE_NOOP="true", PIPEROLL_LOG_LEVEL="debug")
    assert (found["PIPEROLL_ENABLE_NOOP"], found["PIPEROLL_LOG_LEVEL"]) == ("true", "debug")


def test_addresses_of_the_stack_override_inherited_ones() -> None:
    found = shared(
        PIPEROLL_POSTGRES_DSN="postgresql://elsewhere", PIPEROLL_SLOTS="9", PIPEROLL_KAFKA_SECURITY="PLAINTEXT"
    )
    assert KAFKA.items() <= found.items()
    assert (found["PIPEROLL_POSTGRES_DSN"], found["PIPEROLL_SLOTS"]) == ("postgresql://here", "2")


def test_jobs_of_a_stack_fetch_from_no_private_address_unless_its_environment_allows_it() -> None:
    found = Settings.from_environment(shared())
    assert found.private_sources == ()
    assert [str(one) for one in found.private_networks] == ["127.0.0.0/8", "::1/128"], "receivers on this machine"
    chosen = {"PIPEROLL_ALLOW_PRIVATE_SOURCES": "10.1.0.0/16", "PIPEROLL_ALLOW_PRIVATE_NETWORKS": ""}
    found = Settings.from_environment(shared(**chosen))
    assert ([str(one) for one in found.private_sources], found.private_networks) == (["10.1.0.0/16"], ())


def test_what_belongs_to_one_process_or_to_a_provider_is_not_shared() -> None:
    names = ("PIPEROLL_INSTANCE", "PIPEROLL_URL", "PIPEROLL_API_KEY", "PIPEROLL_MISTRAL_API_KEY", "MISTRAL_API_KEY")
    assert not set(names) & set(shared(**dict.fromkeys(names, "inherited")))
    assert "HOME" not in shared(HOME="/root")
