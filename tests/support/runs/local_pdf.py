"""Runs of the `pdf` processor on files that a test makes."""

import pytest

from schemas.job_types.pdf import PdfParameters
from services.worker.errors import ProcessingError
from services.worker.processors.pdf import processor as pdf
from tests.support.runs.pdf import Reports, pymupdf


def make_pdf(path, pages=3, width=595, height=842, **saving):
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            document.new_page(width=width, height=height).insert_text((72, 72), f"Text of page {number}: Grüße")
        document.save(path, **saving)
    return path


def run(workspace, filename, **parameters):
    reports = Reports()
    asked = PdfParameters(filename=str(filename), **parameters)
    return pdf.process(asked, workspace, reports), reports


def refused(workspace, filename, **parameters):
    with pytest.raises(ProcessingError) as caught:
        run(workspace, filename, **parameters)
    assert not caught.value.retryable
    assert caught.value.message.endswith(".")
    return caught.value
