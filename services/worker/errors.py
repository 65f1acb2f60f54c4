"""The error that ends a run on purpose."""

from schemas.errors import RETRYABLE, ErrorCode


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
