"""Why a part of the installation cannot be read, as a sentence. Pure."""

from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from piperoll.store.blobs import BlobStoreError
from services.api.http.errors import ReadModelUnavailableError

AWAY = (KafkaError, BlobStoreError, ReadModelUnavailableError, OSError)
"""The errors of a part that does not answer; TimeoutError is an OSError."""


def reason_of(error: Exception) -> str:
    """Return the sentence for one of AWAY."""
    match error:
        case GroupAuthorizationFailedError() | TopicAuthorizationFailedError():
            return "the API lacks rights in Kafka: run the commands of `piperoll topics acl`"
        case KafkaError():
            return "Kafka does not answer"
        case BlobStoreError():
            return "the blob store does not answer"
        case ReadModelUnavailableError():
            return str(error)
    return "it does not answer in time"
