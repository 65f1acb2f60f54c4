"""Sets the password of Kafka's user. aiokafka 0.14 has no such request, so it is declared here."""

import hashlib
import secrets
from typing import Any, ClassVar, Final

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import SaslAuthenticationFailed, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int8, Int16, Int32, Schema, TaggedFields

from piperoll.embedded.ports import HOST
from piperoll.embedded.properties import MECHANISM, USER

ALTER: Final = 51  # https://kafka.apache.org/protocol#The_Messages_AlterUserScramCredentials
SHA_512: Final = 2
_BYTES: Final = CompactString("latin-1")  # one character for each byte
ITERATIONS: Final = 4096  # Kafka's least. The password has 256 random bits, which no number of them makes safer


async def ensure_password(port: int, controller_port: int, password: str) -> None:
    """Authenticate USER at the listener of clients; set the password if it is another one there.

    The listener of the controller accepts the password of the node's configuration, so this serves a new log as well as
    one that was written before there was a password. Raises KafkaError, OSError, TimeoutError.
    """
    try:
        (await _connect(port, MECHANISM, password)).close()
    except SaslAuthenticationFailed:
        controller = await _connect(controller_port, "PLAIN", password)
        try:
            answer = (await controller.send(_Request(password))).to_object()
        finally:
            controller.close()
        for result in answer["results"]:
            if result["error_code"]:
                raise for_code(result["error_code"])(result["error_message"]) from None


async def _connect(port: int, mechanism: str, password: str) -> AIOKafkaConnection:
    return await create_conn(
        HOST,
        port,
        request_timeout_ms=5000,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=mechanism,
        sasl_plain_username=USER,
        sasl_plain_password=password,
    )


class _Response(Response):  # type: ignore[misc]
    """Kafka's AlterUserScramCredentialsResponse, version 0."""

    API_KEY = ALTER
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Struct(RequestStruct):  # type: ignore[misc]
    """Kafka's AlterUserScramCredentialsRequest, version 0."""

    API_KEY = ALTER
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", _BYTES),
                ("salted_password", _BYTES),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Request(Request[_Struct]):  # type: ignore[misc]
    """Sets USER's password; it is sent salted and hashed (RFC 5802)."""

    API_KEY: ClassVar[int] = ALTER

    def __init__(self, password: str) -> None:
        salt = secrets.token_bytes(16)
        salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
        no_tags: dict[int, bytes] = {}
        self._upsertion = (USER, SHA_512, ITERATIONS, salt.decode("latin-1"), salted.decode("latin-1"), no_tags)

    def build(self, request_struct_class: type[_Struct]) -> Any:
        """Return the request as it is sent."""
        return request_struct_class([], [self._upsertion], {})
