"""The OpenAPI descriptions of downloads (docs/contract/secretary.md#routes)."""

from services.api.openapi import examples
from services.api.openapi.examples import Json
from services.api.openapi.grammar import BYTES, NOTHING_TO_DOWNLOAD, content, header, operation, query_of
from services.api.outputs.requests import RawAnswerQuery
from services.api.outputs.responses import NOT_YET

_NOT_YET = content("application/json", NOT_YET, "The job has not ended yet")
GET_FILE = operation(
    "Download an output of a job",
    {
        200: content("application/octet-stream", None, "The file, with its own Content-Type", BYTES),
        202: _NOT_YET,
        206: content("application/octet-stream", None, "The requested range", BYTES),
    },
    (404, 416),
    parameters=(header("Range", "One range of bytes, such as bytes=0-1023"), header("If-Range", "An ETag")),
)


def _zip(summary: str) -> Json:
    answers = {200: content("application/zip", None, "A ZIP", BYTES), 202: _NOT_YET}
    return operation(summary, answers, (400, 404), bad=NOTHING_TO_DOWNLOAD)


DOWNLOAD_ARCHIVE = _zip("Download all outputs of a job")
MISTRAL_RAW = operation(
    "Download the OCR provider's answer",
    {200: content("application/json", examples.OCR_RAW, "The answer as an attachment"), 202: _NOT_YET},
    (400, 404),
    parameters=query_of(RawAnswerQuery),
    bad=NOTHING_TO_DOWNLOAD,
)
MISTRAL_IMAGES = _zip("Download the images that OCR found")
PAGES_ARCHIVE = _zip("Download the pages as images")
