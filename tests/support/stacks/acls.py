"""ACLs of a Kafka, given by the commands that Piperoll prints."""

import shlex

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from piperoll.log.kafka import client_options
from piperoll.log.topics.acl import ALLOW, KINDS, LITERAL, OPERATIONS
from piperoll.settings import Settings

CODES = {name: code for table in (KINDS, OPERATIONS) for code, name in table.items()}


async def carry_out(operator: Settings, commands: list[str]) -> None:
    """Does what `kafka-acls.sh` does with these arguments; the script is not among the jars."""
    admin = AIOKafkaAdminClient(**client_options(operator))
    await admin.start()
    try:
        for command in commands:
            words = shlex.split(command)
            principal, operation = (words[words.index(name) + 1] for name in ("--allow-principal", "--operation"))
            for at, word in enumerate(words):
                if word in ("--topic", "--group"):
                    kind, name = CODES[word[2:]], words[at + 1]
                    wanted = CreateAclsRequest(kind, name, LITERAL, principal, "*", CODES[operation], ALLOW)
                    (created,) = (await admin._send_request(wanted)).creation_responses
                    assert created[0] == 0, created
    finally:
        await admin.close()
