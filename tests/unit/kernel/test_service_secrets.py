"""Each service gets the secrets that it uses, and no others."""

import subprocess
import sys

import pytest
from pydantic import SecretStr

from piperoll.service_secrets import ALL, USERS, drop_all, drop_foreign
from piperoll.settings import ClientSettings, Settings

VARIABLES = {**{f"PIPEROLL_{name.upper()}": name for name in USERS}, "MISTRAL_API_KEY": "mistral", "PATH": "/bin"}
KAFKA = ("KAFKA_PASSWORD", "KAFKA_KEY_PASSWORD")
SECRETS = {
    "api": {*KAFKA, "POSTGRES_DSN", "SEAL_KEYS", "KEY_PEPPER", "BOOTSTRAP_KEYS", "MISTRAL_API_KEY"},
    "worker": {*KAFKA, "MISTRAL_API_KEY", "CHAT_API_KEY"},
    "projector": {*KAFKA, "POSTGRES_DSN"},
    "notifier": {*KAFKA, "POSTGRES_DSN", "SEAL_KEYS"},
}


def test_every_secret_setting_names_its_services() -> None:
    fields = {**Settings.model_fields, **ClientSettings.model_fields}
    assert {name for name, field in fields.items() if field.annotation is SecretStr} == USERS.keys()
    assert set().union(*USERS.values()) == ALL


@pytest.mark.parametrize("service", SECRETS)
def test_a_service_gets_the_secrets_that_it_uses_and_no_others(service: str) -> None:
    own = {**VARIABLES, "PIPEROLL_SLOTS": "2"}
    drop_foreign(own, service)
    unprefixed = {"MISTRAL_API_KEY"} if "MISTRAL_API_KEY" in SECRETS[service] else set()
    assert own.keys() == {f"PIPEROLL_{name}" for name in SECRETS[service]} | unprefixed | {"PATH", "PIPEROLL_SLOTS"}


def test_no_secret_is_left_once_the_settings_were_read() -> None:
    variables = {**VARIABLES, "piperoll_seal_keys": "settings are read in any case"}
    drop_all(variables)
    assert variables == {"PATH": "/bin"}


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2)")
def test_a_process_with_private_memory_leaves_no_core_dump_and_is_not_readable() -> None:
    program = (
        "import ctypes, resource\n"
        "from piperoll.process_memory import keep_private\n"
        "keep_private()\n"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))\n"  # PR_GET_DUMPABLE
    )
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert shown.split(maxsplit=1) == ["0", "(0, 0)\n"]
