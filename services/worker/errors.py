"""The error that ends a run on purpose. It lives apart, so that processors, providers and fetching can all raise it."""

from schemas.errors import RETRYABLE, ErrorCode


class ProcessingError(Exception):
    """Ends a run with a code of contract 16 and a sentence that a client reads.

    `retryable` is the code's own answer (`schemas.errors.RETRYABLE`) unless given. `retry_after_s` is the least wait
    that the other side asked for. `error_type` names the cause more closely than the code does.
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
