"""The failure of a run by the error that ended it."""

from piperoll.store.blobs import BlobStoreError
from schemas.errors import RETRYABLE, SENTENCES, ErrorCode
from services.worker.children.protocol import MESSAGE_CHARS, TYPE_CHARS, Failed
from services.worker.errors import ProcessingError, is_own_fault


def failure(error: BaseException, duration_ms: int) -> Failed:
    """The failure by an error: its code, a message for the client, and whether another attempt may succeed."""
    if own_fault := is_own_fault(error):
        code, message = ErrorCode.STORAGE_ERROR, SENTENCES[ErrorCode.STORAGE_ERROR]
    else:
        code, message = _verdict(error)
    known = error if isinstance(error, ProcessingError) and not own_fault else None
    return Failed(
        code=code,
        message=message[:MESSAGE_CHARS],
        error_type=(known.error_type if known else type(error).__name__)[:TYPE_CHARS],
        retryable=known.retryable if known else code in RETRYABLE,
        retry_after_s=known.retry_after_s if known else None,
        own_fault=own_fault,
        duration_ms=duration_ms,
    )


def _verdict(error: BaseException) -> tuple[ErrorCode, str]:
    match error:
        case ProcessingError():
            return error.code, error.message
        case MemoryError():
            return ErrorCode.OUT_OF_MEMORY, SENTENCES[ErrorCode.OUT_OF_MEMORY]
        case BlobStoreError():
            return ErrorCode.STORAGE_ERROR, SENTENCES[ErrorCode.STORAGE_ERROR]
        case _:  # unexpected: its text may quote content, so it goes to the log only
            return ErrorCode.PROCESSING_ERROR, SENTENCES[ErrorCode.PROCESSING_ERROR]
