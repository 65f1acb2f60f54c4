"""The OpenAPI descriptions of downloads (contract 2a)."""

from services.api.openapi import examples
from services.api.openapi.grammar import (
    BYTES,
    NOTHING_TO_DOWNLOAD,
    content,
    header,
    operation,
    query_of,
)
from services.api.outputs.requests import RawAnswerQuery

_NOT_YET = content("application/json", examples.NOT_YET, "The job has not ended yet")
GET_FILE = operation(
    "Download an output of a job",
    {
        200: content("application/octet-stream", None, "The file, with its own Content-Type", BYTES),
        202: _NOT_YET,
        206: content("application/octet-stream", None, "The requested range", BYTES),
    },
    (404, 416),
    parameters=(
        header("Range", "One range of bytes, such as bytes=0-1023"),
        header("If-Range", "An ETag"),
    ),
)
DOWNLOAD_ARCHIVE = operation(
    "Download all outputs of a job",
    {200: content("application/zip", None, "A ZIP", BYTES), 202: _NOT_YET},
    (400, 404),
    bad=NOTHING_TO_DOWNLOAD,
)
MISTRAL_RAW = operation(
    "Download the OCR provider's answer",
    {200: content("application/json", examples.OCR_RAW, "The answer as an attachment"), 202: _NOT_YET},
    (400, 404),
    parameters=query_of(RawAnswerQuery),
    bad=NOTHING_TO_DOWNLOAD,
)
MISTRAL_IMAGES = operation(
    "Download the images that OCR found",
    {200: content("application/zip", None, "A ZIP", BYTES), 202: _NOT_YET},
    (400, 404),
    bad=NOTHING_TO_DOWNLOAD,
)
PAGES_ARCHIVE = operation(
    "Download the pages as images",
    {200: content("application/zip", None, "A ZIP", BYTES), 202: _NOT_YET},
    (400, 404),
    bad=NOTHING_TO_DOWNLOAD,
)
