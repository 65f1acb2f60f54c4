"""What distinguishes a log from every other one: the ids that Kafka draws for a cluster and for each topic.

A topic that was deleted and created again has another id. aiokafka 0.14 requests the metadata of a version without
topic ids, so the request is declared here. Which ids a log must have is decided in `piperoll.installation`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar
from uuid import UUID

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from schemas.topics import MANIFEST

METADATA, WITH_TOPIC_IDS = 3, 12


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """The id of a cluster, and by name the ids of the topics that services read."""

    cluster_id: str
    topics: Mapping[str, str]


READ = tuple(topic.name for topic in MANIFEST if topic.groups)


async def read_identity(admin: AIOKafkaAdminClient, names: Iterable[str] = READ) -> LogIdentity:
    """Return the identity of the log behind a started client. A topic that does not exist is left out."""
    answer = (await admin._send_request(_MetadataRequest(names))).to_object()
    topics = {one["name"]: str(one["topic_id"]) for one in answer["topics"] if not one["error_code"]}
    return LogIdentity(str(answer["cluster_id"]), topics)


class _Uuid(AbstractType[UUID]):  # type: ignore[misc]
    """Sixteen bytes."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        """Return the bytes of an id."""
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        """Return the id at the place where `data` is read."""
        return UUID(bytes=data.read(16))


class _MetadataResponse(Response):  # type: ignore[misc]
    """Kafka's MetadataResponse, version 12."""

    API_KEY = METADATA
    API_VERSION = WITH_TOPIC_IDS
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataStruct(RequestStruct):  # type: ignore[misc]
    """Kafka's MetadataRequest, version 12."""

    API_KEY = METADATA
    API_VERSION = WITH_TOPIC_IDS
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataStruct]):  # type: ignore[misc]
    """Asks for topics by name, and creates none."""

    API_KEY: ClassVar[int] = METADATA

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)

    def build(self, request_struct_class: type[_MetadataStruct]) -> Any:
        """Return the request as it is sent."""
        named: list[tuple[UUID, str, dict[int, bytes]]] = [(UUID(int=0), name, {}) for name in self._names]
        return request_struct_class(named, False, False, {})
