"""The error that ends a run on purpose, and the faults of the installation that no job can help."""

import errno

from piperoll.store.blobs import BlobStoreError, BlobUnreadableError
from schemas.errors import RETRYABLE, ErrorCode

EXHAUSTED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE})
"""Disk full, quota used up, disk read-only, no file descriptors: whatever file it was, the machine is the cause."""


def is_own_fault(error: BaseException) -> bool:
    """Whether an error, or one that it was raised for, is a fault of the installation.

    A blob that cannot be read although the store answers is none, as one with other content than its claim names.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, BlobStoreError):
            return not isinstance(seen, BlobUnreadableError)
        if isinstance(seen, OSError) and seen.errno in EXHAUSTED:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


class ProcessingError(Exception):
    """Ends a run with a code of docs/contract/secretary.md#codes and a message for the client.

    `retryable` is that of the code (`schemas.errors.RETRYABLE`) unless given. `retry_after_s` is the minimum wait that
    the server requested. `error_type` is a more precise name of the cause.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
        error_type: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = code in RETRYABLE if retryable is None else retryable
        self.retry_after_s = retry_after_s
        self.error_type = error_type or type(self).__name__
