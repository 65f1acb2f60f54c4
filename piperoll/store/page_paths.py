"""Where a job's page checkpoints and the records of its finished pages are.

`{job_id}/pages/{key}/` belongs to one work: `key` is the beginning of that of the cache. A run writes checkpoints
`{run}-00000.json` there (services.worker.run.resuming) and records `{run}-pages-00000.json` (schemas.pages).
"""

from typing import Final

from schemas.pages import PageRecords

FOLDER: Final = "pages"
KEY_CHARS: Final = 32  # of the hash: 64 of them would be the name of a content
RECORDS: Final = "-pages-"


def folder_of(job_id: str) -> str:
    """The folder of a job."""
    return f"{job_id}/{FOLDER}"


def place_of(job_id: str, key: str) -> str:
    """The folder of one work."""
    return f"{folder_of(job_id)}/{key[:KEY_CHARS]}"


def record_of(job_id: str, run: str, key: str, number: int) -> str:
    """The uri of a record, from 0."""
    return f"{place_of(job_id, key)}/{run}{RECORDS}{number:05d}.json"


def last_record_of(job_id: str, records: PageRecords) -> str:
    """The uri of the last record that is known."""
    return record_of(job_id, records.run, records.key, records.count - 1)


def is_record(uri: str) -> bool:
    """Whether the uri of a blob in the folder is that of a record."""
    return RECORDS in uri.rpartition("/")[2]
