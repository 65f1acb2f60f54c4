"""Reads the ACLs of a cluster."""

from collections import defaultdict
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DescribeAclsRequest

from piperoll.log.kafka import client_options
from piperoll.log.topics.rights import PREFIX, Right
from piperoll.settings import Settings

# https://kafka.apache.org/protocol: AclOperation, ResourceType, PatternType, AclPermissionType
ANY: Final = 1
ALLOW: Final = 3
LITERAL: Final = 3
OPERATIONS: Final = {
    2: "All", 3: "Read", 4: "Write", 5: "Create", 6: "Delete", 7: "Alter", 8: "Describe", 9: "ClusterAction",
    10: "DescribeConfigs", 11: "AlterConfigs", 12: "IdempotentWrite",
}  # fmt: skip
KINDS: Final = {2: "topic", 3: "group", 4: "cluster", 5: "transactional id", 6: "delegation token", 7: "user"}


async def read_rights(settings: Settings) -> dict[str, frozenset[Right]]:
    """Return what ACLs allow, by principal. A name that is a prefix ends in PREFIX.

    Raises KafkaError: SecurityDisabled if the cluster has no authorizer, ClusterAuthorizationFailedError if this
    account may not read ACLs.
    """
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        answer = (await admin._send_request(DescribeAclsRequest(ANY, None, ANY, None, None, ANY, ANY))).to_object()
    finally:
        await admin.close()
    if answer["error_code"]:
        raise for_code(answer["error_code"])(answer["error_message"])
    found: dict[str, set[Right]] = defaultdict(set)
    for resource in answer["resources"]:
        kind = KINDS.get(resource["resource_type"], "resource")
        whole = resource["resource_pattern_type"] == LITERAL
        name = resource["resource_name"] if whole else f"{resource['resource_name']}{PREFIX}"
        for acl in resource["acls"]:
            if acl["permission_type"] == ALLOW:
                found[acl["principal"]].add(Right(OPERATIONS.get(acl["operation"], "another operation"), kind, name))
    return {principal: frozenset(rights) for principal, rights in found.items()}
