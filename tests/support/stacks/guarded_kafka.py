"""A Kafka with TLS and ACLs. Its own account, `piperoll`, may do all; others have certificates or passwords."""

import re
from pathlib import Path

from piperoll.embedded.kafka import EmbeddedKafka
from piperoll.embedded.ports import HOST
from piperoll.embedded.properties import MECHANISM
from piperoll.log.topics.rights import Right
from tests.support.servers.authority import Authority, Issued

PRINCIPALS = "User:CN=piperoll-{service}"
LOGGED = re.compile(
    r"Principal = (\S+) is (Allowed|Denied) operation = (\S+) from host = \S+ on resource = (\w+):LITERAL:(\S+) "
)


class GuardedKafka(EmbeddedKafka):
    """One node with a listener for clients with certificates, and one for clients with passwords, both with TLS."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder, "the-password-of-the-operator")
        self._authority = authority
        self._server = authority.issue("broker")
        self._own = self._ports.assign("kafka-tls"), self._ports.assign("kafka-sasl-tls")
        self._log4j += AUDIT

    def with_certificate(self, issued: Issued) -> dict[str, str]:
        """The settings of a client with a certificate."""
        return {
            "PIPEROLL_KAFKA_BOOTSTRAP": f"{HOST}:{self._own[0]}",
            "PIPEROLL_KAFKA_SECURITY": "SSL",
            "PIPEROLL_KAFKA_CA": str(self._authority.ca),
            "PIPEROLL_KAFKA_CERTIFICATE": str(issued.certificate),
            "PIPEROLL_KAFKA_KEY": str(issued.key),
        }

    def with_password(self) -> dict[str, str]:
        """The settings of the account of this node over TLS."""
        return {
            **self.environment,
            "PIPEROLL_KAFKA_BOOTSTRAP": f"{HOST}:{self._own[1]}",
            "PIPEROLL_KAFKA_SECURITY": "SASL_SSL",
            "PIPEROLL_KAFKA_CA": str(self._authority.ca),
        }

    def audited(self) -> dict[str, dict[Right, bool]]:
        """What was asked of the authorizer by principal, and whether it was allowed each time."""
        found: dict[str, dict[Right, bool]] = {}
        for principal, verdict, operation, kind, name in LOGGED.findall(self._log.read_text(errors="replace")):
            right = Right(_camel(operation), kind.lower(), name)
            rights = found.setdefault(principal, {})
            rights[right] = rights.get(right, True) and verdict == "Allowed"
        return found

    def _properties(self) -> dict[str, str]:
        given = super()._properties()
        addresses = f",TLS://{HOST}:{self._own[0]},SASLTLS://{HOST}:{self._own[1]}"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return {
            **given,
            **{name: given[name] + addresses for name in ("listeners", "advertised.listeners")},
            "listener.security.protocol.map": f"{given['listener.security.protocol.map']},TLS:SSL,SASLTLS:SASL_SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._server.both),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._authority.ca),
            "listener.name.tls.ssl.client.auth": "required",
            "listener.name.sasltls.sasl.enabled.mechanisms": MECHANISM,
            f"listener.name.sasltls.{MECHANISM.lower()}.sasl.jaas.config": scram,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:piperoll",
        }


AUDIT = """\
logger.audit.name = kafka.authorizer.logger
logger.audit.level = DEBUG
"""


def _camel(operation: str) -> str:
    """`DESCRIBE_CONFIGS` as the command line of Kafka writes it."""
    return "".join(word.capitalize() for word in operation.split("_"))
