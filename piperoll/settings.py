"""The settings of all services. No other module reads the environment."""

import base64
import binascii
import ipaddress
import math
import os
import socket
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from piperoll.service_secrets import drop_all, drop_foreign
from schemas.events import MAX_DELAY_S, MOST_MEMBERS

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SEAL_KEY_BYTES = 32  # AES-256
DAY_S = 86400
UNPREFIXED = ("MISTRAL_API_KEY", "MISTRAL_MODEL")
"""Variables that are also read under the provider's names. The prefixed ones take precedence."""
HTTP_URL = r"^https?://[^\s/]+"


class Settings(BaseSettings):
    """Settings by environment variable, `PIPEROLL_` and the field's name. Raises pydantic's ValidationError."""

    model_config = SettingsConfigDict(env_prefix="PIPEROLL_", frozen=True, extra="ignore", hide_input_in_errors=True)

    # Kafka, Postgres, blob store
    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_username: str = ""
    kafka_password: SecretStr = SecretStr("")
    kafka_ca: str = Field(default="", description="file of the authorities that brokers' certificates are from, PEM")
    kafka_certificate: str = Field(default="", description="file of the client's certificate and its chain, PEM")
    kafka_key: str = Field(default="", description="file of its private key, PEM; empty: in the certificate's file")
    kafka_key_password: SecretStr = SecretStr("")
    kafka_principals: str = Field(
        default="User:piperoll-{service}",
        pattern=r"^\w+:.*\{service\}",
        description="the principals of the services in Kafka's ACLs",
    )
    postgres_dsn: SecretStr = SecretStr("postgresql://piperoll@127.0.0.1:5432/piperoll")
    blob_url: str = Field(
        default="file:///var/lib/piperoll/blobs",
        description="file:///folder, or s3://, gs:// or az:// with the environment variables of those stores",
    )
    partitions: int = Field(default=24, ge=1, description="fixed when the topics are created")
    replication_factor: int = Field(default=3, ge=1)

    # The process
    instance: str = Field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}")
    static_membership: bool = Field(
        default=False, description="use `instance` as the group member's id, kept across restarts (KIP-345)"
    )
    session_timeout_s: float = Field(default=30.0, ge=1)
    health_host: str = "127.0.0.1"
    health_port: int = Field(default=0, ge=0, le=65535, description="0 disables health and metrics")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    # Secrets
    seal_keys: SecretStr = Field(
        default=SecretStr(""), description="`id:base64 of 32 bytes`, comma separated; the first one seals"
    )
    key_pepper: SecretStr = SecretStr("")
    bootstrap_keys: SecretStr = Field(
        default=SecretStr(""), description="comma separated API keys of the owner `local`"
    )

    # The API
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=5001, ge=0, le=65535)
    max_body_bytes: int = 10 * 1024 * 1024
    max_batch_jobs: int = Field(default=10_000, ge=1, le=MOST_MEMBERS)
    max_upload_bytes: int = 150_000_000
    max_connections: int = Field(default=4000, ge=1, description="open connections of one API process")
    max_large_bodies: int = Field(
        default=4, ge=1, description="JSON bodies and forms above 256 kB that one API process holds at a time"
    )
    append_deadline_s: float = Field(default=10.0, gt=0)
    read_deadline_s: float = Field(default=5.0, gt=0)
    key_cache_s: float = 900.0
    page_session_s: float = Field(
        default=DAY_S / 2, ge=60, le=30 * DAY_S, description="how long a session of the page lasts"
    )
    document_wait_s: float = Field(
        default=60.0, ge=0, description="how long an upload under /v1 waits for its document to be processed"
    )
    rate_limit: int = Field(default=100, ge=1, description="requests of a key under /v1 in any 60 s")
    owner_open_jobs: int = Field(default=100_000, ge=1, description="jobs of one owner that have not ended")
    owner_stored_bytes: int = Field(
        default=100_000_000_000, ge=1, description="bytes of one owner's uploads and documents"
    )
    owner_uploads: int = Field(default=256, ge=1, description="files that one owner sends to one process at a time")
    owner_streams: int = Field(default=500, ge=1, description="event streams of one owner open at one process")
    owner_long_polls: int = Field(default=2000, ge=1, description="waiting requests of one owner at one process")
    owner_requests: int = Field(default=1000, ge=1, description="requests of one owner in work at one process")
    owner_shared_per_s: int = Field(
        default=250, ge=1, description="requests of one owner to one process while others use it; further ones wait"
    )
    owner_requests_per_s: int = Field(default=10_000, ge=1, description="requests of one owner to one process")
    min_free_bytes: int = Field(
        default=1_000_000_000,
        ge=0,
        description="free space of a local blob store, or 2 % of it if that is less, below which nothing new is taken",
    )
    signing_overlap_s: float = Field(
        default=DAY_S, ge=60, description="how long a key signs after its rotation; notifiers refresh keys every 10 s"
    )
    public_url: str = Field(default="", description="prefix of the relative URLs in webhooks; empty: none")

    # Files and addresses
    files_roots: str = Field(default="", description="folders that `filename` may name, separated by a colon")
    sync_stores: str = Field(
        default="", description="object stores, as s3://bucket/prefix, that a `source` may name, comma separated"
    )
    allow_private_networks: str = Field(default="", description="CIDR list of private networks that webhooks may reach")
    allow_private_sources: str = Field(
        default="", description="CIDR list of private networks from which jobs may fetch addresses"
    )
    max_pages: int = Field(default=500, ge=1)

    # The worker
    slots: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    reserved_slots: int = Field(
        default=1, ge=0, description="slots kept for owners with nothing running, while several use the worker"
    )
    owner_slots: int = Field(default=0, ge=0, description="most running jobs of one owner on one worker; 0: no cap")
    enable_noop: bool = False
    job_memory_bytes: int = Field(default=2 * 1024**3, ge=256 * 1024**2)
    stall_timeout_s: float = Field(default=600.0, gt=0)
    page_timeout_s: float = Field(
        default=300.0, gt=0, description="a page that the reader, the renderer or local OCR works on longer is skipped"
    )
    max_losses: int = Field(default=10, ge=1)
    handover_grace_s: float = Field(default=15.0, ge=0)
    checkpoint_interval_s: float = Field(default=30.0, gt=0)
    retry_base_s: float = Field(default=5.0, gt=0)
    retry_cap_s: float = Field(default=300.0, gt=0, le=MAX_DELAY_S / 2, description="jitter is added")
    child_jobs: int = Field(default=10_000, ge=1, description="a child process is replaced after this many jobs")
    work_dir: str = ""
    sandbox: Literal["auto", "require", "off"] = Field(
        default="auto",
        description="whether processes that read files are confined: as far as the kernel can, completely, not at all",
    )
    cache_ttl_s: float = Field(default=30 * DAY_S, ge=0, description="maximum age of a cached result")
    transformer_cache_ttl_s: float = Field(default=14 * DAY_S, ge=0, description="the same for transformer jobs")
    upload_ttl_s: float = Field(
        default=7 * DAY_S, gt=0, description="age after which uploads that no open job uses are deleted"
    )
    sweep_interval_s: float = Field(default=6 * 3600, gt=0, description="interval between scans of the blob store")
    sweep_max_share: float = Field(
        default=0.05, ge=0, le=1, description="a sweep that would delete a larger share as not needed deletes nothing"
    )
    sync_max_removed: float = Field(
        default=0.5, ge=0, le=1, description="share of its documents that a `sync` removes without a confirmation"
    )

    # External providers
    mistral_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("PIPEROLL_MISTRAL_API_KEY", "MISTRAL_API_KEY", "mistral_api_key"),
    )
    mistral_url: str = Field(default="https://api.mistral.ai", pattern=HTTP_URL)
    mistral_model: str = Field(
        default="mistral-ocr-latest",
        min_length=1,
        validation_alias=AliasChoices("PIPEROLL_MISTRAL_MODEL", "MISTRAL_MODEL", "mistral_model"),
        description="reads documents",
    )
    chat_model: str = Field(default="mistral-medium-latest", min_length=1, description="fills templates")
    vision_model: str = Field(default="mistral-medium-latest", min_length=1, description="reads page images")
    transcription_model: str = Field(default="voxtral-mini-latest", min_length=1)
    chat_url: str = Field(
        default="", pattern=f"^$|{HTTP_URL}", description="OpenAI-compatible server for chat and vision, not Mistral's"
    )
    chat_api_key: SecretStr = SecretStr("")
    provider_timeout_s: float = Field(
        default=300.0, gt=0, description="must be below stall_timeout_s, which else ends the run"
    )
    fetch_timeout_s: float = Field(default=120.0, gt=0, description="for the whole download of a `url`")
    max_media_bytes: int = Field(default=2_000_000_000, ge=1, description="of a video or audio file behind a url")
    media_timeout_s: float = Field(default=1800.0, gt=0, description="for the whole download of a video or audio file")
    templates_dir: str = Field(default="", description="folder of templates that override the shipped ones")
    ocr_languages: str = Field(
        default="deu+eng", pattern=r"^\w+(\+\w+)*$", description="Tesseract's language codes, the main one first"
    )

    # The notifier
    receiver_concurrency: int = Field(default=8, ge=1, description="concurrent webhooks to one receiver")
    delivery_concurrency: int = Field(default=64, ge=1, description="concurrent webhooks in total")
    progress_timeout_s: float = Field(default=15.0, gt=0)
    final_timeout_s: float = Field(default=30.0, gt=0)
    delivery_schedule_s: str = Field(
        default="0,5,300,1800,7200,18000,36000,50400,72000,86400",
        description="delays between the attempts of a terminal webhook (Standard Webhooks)",
    )
    delivery_max_age_s: float = Field(default=86400.0, description="older first deliveries are held")

    @field_validator("kafka_ca", "kafka_certificate", "kafka_key")
    @classmethod
    def _files_can_be_read(cls, value: str, info: ValidationInfo) -> str:
        if value and not os.access(value, os.R_OK):
            raise ValueError(f"{value} cannot be read")
        if value and "SSL" not in info.data.get("kafka_security", "SSL").split("_"):
            raise ValueError("needs PIPEROLL_KAFKA_SECURITY SSL or SASL_SSL")
        return value

    @field_validator("files_roots")
    @classmethod
    def _roots_are_absolute(cls, value: str) -> str:
        for root in filter(None, value.split(":")):
            if not Path(root).is_absolute():
                raise ValueError(f"{root!r} is not an absolute path")
        return value

    @field_validator("seal_keys")
    @classmethod
    def _keys_can_seal(cls, value: SecretStr) -> SecretStr:
        _sealing_keys(value.get_secret_value())
        return value

    @field_validator("allow_private_networks", "allow_private_sources")
    @classmethod
    def _networks_exist(cls, value: str) -> str:
        _networks(value)
        return value

    @field_validator("delivery_schedule_s")
    @classmethod
    def _delays_can_be_waited(cls, value: str) -> str:
        if not all(0 <= delay < math.inf for delay in _delays(value)):
            raise ValueError("delays must be seconds, 0 or more")
        return value

    @cached_property
    def roots(self) -> tuple[Path, ...]:
        """The resolved folders that `filename` may name."""
        return tuple(Path(root).resolve() for root in self.files_roots.split(":") if root)

    @cached_property
    def private_networks(self) -> tuple[Network, ...]:
        """Private networks that webhooks may reach."""
        return _networks(self.allow_private_networks)

    @cached_property
    def private_sources(self) -> tuple[Network, ...]:
        """Private networks from which jobs may fetch what an address in their parameters names."""
        return _networks(self.allow_private_sources)

    @cached_property
    def delivery_delays(self) -> tuple[float, ...]:
        """Seconds before the first, second… attempt of a terminal webhook."""
        return _delays(self.delivery_schedule_s)

    @cached_property
    def sealing_keys(self) -> dict[str, bytes]:
        """Sealing keys by id, the current one first."""
        return _sealing_keys(self.seal_keys.get_secret_value())

    @classmethod
    def of_service(cls, service: str) -> "Settings":
        """Return the settings of this process, which is a service, and leave no secret in its environment."""
        drop_foreign(os.environ, service)
        settings = cls()
        drop_all(os.environ)
        return settings

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> "Settings":
        """Return the settings of another process by its environment `variables`; ignores this process's environment."""
        prefix = "PIPEROLL_"
        given = {
            name.removeprefix(prefix).lower(): value for name, value in variables.items() if name.startswith(prefix)
        }
        for name in UNPREFIXED:
            if name in variables:
                given.setdefault(name.lower(), variables[name])
        return _Given.model_validate(given)

    def redacted(self) -> dict[str, Any]:
        """Return the settings with secrets masked, for the log."""
        return self.model_dump(mode="json")


class ClientSettings(BaseSettings):
    """Settings of the client commands: `PIPEROLL_URL`, `PIPEROLL_API_KEY`, `PIPEROLL_PROFILE`, `PIPEROLL_CONFIG`.

    Empty when not set. `config` is the file of the profiles (piperoll.cli.profiles).
    """

    model_config = SettingsConfigDict(env_prefix="PIPEROLL_", frozen=True, extra="ignore", hide_input_in_errors=True)

    url: str = ""
    api_key: SecretStr = SecretStr("")
    profile: str = ""
    config: Path | None = None


class _Given(Settings):
    """Settings from arguments only, without the environment."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **more: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _sealing_keys(text: str) -> dict[str, bytes]:
    """Parse sealing keys by id. Raises ValueError, whose message never contains a key."""
    keys = {}
    for part in filter(None, text.split(",")):
        name, colon, encoded = part.partition(":")
        if not colon or not name or "." in name:
            raise ValueError("a sealing key is written `id:base64 of 32 bytes`, its id without a dot")
        try:
            keys[name] = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError(f"the sealing key {name!r} is not base64") from None
        if len(keys[name]) != SEAL_KEY_BYTES:
            raise ValueError(f"the sealing key {name!r} has {len(keys[name])} bytes, it must have {SEAL_KEY_BYTES}")
    return keys


def _networks(text: str) -> tuple[Network, ...]:
    parts = (part.strip() for part in text.split(","))
    return tuple(ipaddress.ip_network(part, strict=False) for part in parts if part)


def _delays(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))
