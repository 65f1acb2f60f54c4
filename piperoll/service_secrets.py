"""Which service uses which secret, by the names of the settings. No other service gets it.

Whatever its environment contains, a service drops the secrets of others before it reads its settings, and its own ones
once it has read them: what runs in it later finds none. Variables of object stores (`AWS_…`) are for all services.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Final

API, WORKER, PROJECTOR, NOTIFIER = "api", "worker", "projector", "notifier"
ALL: Final = frozenset({API, WORKER, PROJECTOR, NOTIFIER})

USERS: Final[Mapping[str, frozenset[str]]] = {
    "kafka_password": ALL,
    "kafka_key_password": ALL,
    "postgres_dsn": frozenset({API, PROJECTOR, NOTIFIER}),
    "seal_keys": frozenset({API, NOTIFIER}),
    "key_pepper": frozenset({API}),
    "bootstrap_keys": frozenset({API}),
    "mistral_api_key": frozenset({API, WORKER}),  # the API embeds what is searched for
    "chat_api_key": frozenset({WORKER}),
    "api_key": frozenset(),  # of client commands
}
"""The services that use each setting that is secret."""
UNPREFIXED: Final = {"mistral_api_key": "MISTRAL_API_KEY"}


def drop_foreign(variables: MutableMapping[str, str], service: str) -> None:
    """Remove the secrets that `service` does not use."""
    _remove(variables, [setting for setting, users in USERS.items() if service not in users])


def drop_all(variables: MutableMapping[str, str]) -> None:
    """Remove all secrets, after the settings were read."""
    _remove(variables, USERS)


def _remove(variables: MutableMapping[str, str], settings: Iterable[str]) -> None:
    names = {name for setting in settings for name in _names(setting)}
    for variable in [variable for variable in variables if variable.upper() in names]:  # settings are read in any case
        del variables[variable]


def _names(setting: str) -> list[str]:
    """The variables that set a setting."""
    name = f"PIPEROLL_{setting.upper()}"
    return [name, UNPREFIXED[setting]] if setting in UNPREFIXED else [name]
