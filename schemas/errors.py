"""The error codes that a client can receive, and their default messages."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """A stable name of an error (docs/contract/secretary.md#validation, #codes). Clients must not rely on messages."""

    # Answers to a request
    INVALID_REQUEST = "INVALID_REQUEST"
    UNKNOWN_JOB_TYPE = "UNKNOWN_JOB_TYPE"
    INVALID_PARAMETERS = "INVALID_PARAMETERS"
    BLOCKED_ADDRESS = "BLOCKED_ADDRESS"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    FOREIGN_ORIGIN = "FOREIGN_ORIGIN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    NO_ARCHIVE = "NO_ARCHIVE"
    RANGE_NOT_SATISFIABLE = "RANGE_NOT_SATISFIABLE"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    EXTRACTION_FAILED = "EXTRACTION_FAILED"
    EXTRACTION_TIMEOUT = "EXTRACTION_TIMEOUT"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    READ_MODEL_UNAVAILABLE = "READ_MODEL_UNAVAILABLE"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    INSUFFICIENT_STORAGE = "INSUFFICIENT_STORAGE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    # Answers of the endpoints that wrap one job (docs/contract/secretary.md#direct-endpoints), whose clients know
    # these names
    DIRECT_VALIDATION_ERROR = "ValidationError"
    DIRECT_INVALID_REQUEST = "InvalidRequest"
    # Ends of a job
    CANCELLED = "CANCELLED"
    DOCUMENT_HAS_NO_TEXT = "DOCUMENT_HAS_NO_TEXT"
    EMBEDDING_UNAVAILABLE = "EMBEDDING_UNAVAILABLE"
    FILE_ENCRYPTED = "FILE_ENCRYPTED"
    FILE_NOT_ALLOWED = "FILE_NOT_ALLOWED"
    FILE_NOT_FOUND = "FILE_NOT_FOUND"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    HTTP_ERROR = "HTTP_ERROR"
    INVALID_DOCUMENT = "INVALID_DOCUMENT"
    INVALID_PDF = "INVALID_PDF"
    JSON_PARSE_ERROR = "JSON_PARSE_ERROR"
    NETWORK_ERROR = "NETWORK_ERROR"
    OCR_PROVIDER_UNAVAILABLE = "OCR_PROVIDER_UNAVAILABLE"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    PAGE_RANGE_INVALID = "PAGE_RANGE_INVALID"
    PDF_ENCRYPTED = "PDF_ENCRYPTED"
    PROCESSING_ERROR = "PROCESSING_ERROR"
    PROCESSING_TIMEOUT = "PROCESSING_TIMEOUT"
    PROCESSOR_CRASHED = "PROCESSOR_CRASHED"
    PROVIDER_ERROR = "PROVIDER_ERROR"
    RATE_LIMITED = "RATE_LIMITED"
    STORAGE_ERROR = "STORAGE_ERROR"
    TEMPLATE_ERROR = "TEMPLATE_ERROR"
    TEMPLATE_TRANSFORMATION_ERROR = "TEMPLATE_TRANSFORMATION_ERROR"
    TIMEOUT = "TIMEOUT"
    TOO_MANY_PAGES = "TOO_MANY_PAGES"
    TRANSCRIPTION_UNAVAILABLE = "TRANSCRIPTION_UNAVAILABLE"
    UNSUPPORTED_FILE_TYPE = "UNSUPPORTED_FILE_TYPE"
    URL_FETCH_ERROR = "URL_FETCH_ERROR"
    URL_NOT_FOUND = "URL_NOT_FOUND"
    URL_TRANSFORMATION_ERROR = "URL_TRANSFORMATION_ERROR"
    WORKER_LOST = "WORKER_LOST"


SENTENCES: dict[ErrorCode, str] = {
    ErrorCode.BLOCKED_ADDRESS: "The address is private or local and not allowed here, or is of a cloud's metadata.",
    ErrorCode.CANCELLED: "The job was cancelled.",
    ErrorCode.DOCUMENT_HAS_NO_TEXT: "The document has no extracted text yet.",
    ErrorCode.EMBEDDING_UNAVAILABLE: "The embedding model cannot be used: it is unknown, or has no valid key.",
    ErrorCode.FILE_ENCRYPTED: "The file is protected by a password.",
    ErrorCode.FILE_NOT_ALLOWED: "The file is outside the folders that jobs may read (PIPEROLL_FILES_ROOTS).",
    ErrorCode.FILE_NOT_FOUND: "The file does not exist, or the worker cannot read it.",
    ErrorCode.FILE_TOO_LARGE: "The file is larger than the configured limit.",
    ErrorCode.HTTP_ERROR: "The server of the url returned an error.",
    ErrorCode.INVALID_DOCUMENT: "The file is damaged, empty, or not of the type that its name states.",
    ErrorCode.INVALID_PDF: "The file is not a PDF that can be opened.",
    ErrorCode.JSON_PARSE_ERROR: "The language model did not return the requested JSON object.",
    ErrorCode.NETWORK_ERROR: "The server of the url could not be reached.",
    ErrorCode.OCR_PROVIDER_UNAVAILABLE: "The OCR provider cannot be used: no valid key is configured.",
    ErrorCode.OUT_OF_MEMORY: "Processing needed more memory than one job may use.",
    ErrorCode.PAGE_RANGE_INVALID: "The requested pages are outside the document.",
    ErrorCode.PDF_ENCRYPTED: "The PDF is protected by a password.",
    ErrorCode.PROCESSING_ERROR: "Processing failed.",
    ErrorCode.PROCESSING_TIMEOUT: "Processing took longer than allowed.",
    ErrorCode.PROCESSOR_CRASHED: "The processor crashed on this input.",
    ErrorCode.PROVIDER_ERROR: "The provider did not fulfil the request.",
    ErrorCode.RATE_LIMITED: "The provider rejected the request: too many requests.",
    ErrorCode.STORAGE_ERROR: "The blob store did not answer.",
    ErrorCode.TEMPLATE_ERROR: "The template cannot be used.",
    ErrorCode.TEMPLATE_TRANSFORMATION_ERROR: "The template could not be filled.",
    ErrorCode.TIMEOUT: "The server of the url did not answer in time.",
    ErrorCode.TOO_MANY_PAGES: "The document has more pages than the configured limit.",
    ErrorCode.TRANSCRIPTION_UNAVAILABLE: "No speech recognition for this file is configured or installed.",
    ErrorCode.UNSUPPORTED_FILE_TYPE: "Files of this type are not supported.",
    ErrorCode.URL_FETCH_ERROR: "The page at the url could not be fetched.",
    ErrorCode.URL_NOT_FOUND: "The url does not exist.",
    ErrorCode.URL_TRANSFORMATION_ERROR: "The page at the url has no readable text.",
    ErrorCode.WORKER_LOST: "The job lost its worker too many times.",
}
"""The messages of job ends whose details are not available."""

RETRYABLE = frozenset(
    {
        ErrorCode.NETWORK_ERROR,
        ErrorCode.OUT_OF_MEMORY,
        ErrorCode.PROCESSING_TIMEOUT,
        ErrorCode.PROCESSOR_CRASHED,
        ErrorCode.PROVIDER_ERROR,
        ErrorCode.RATE_LIMITED,
        ErrorCode.STORAGE_ERROR,
        ErrorCode.TIMEOUT,
    }
)
"""Codes after which another attempt may succeed. An error in the input fails the job at once."""
