"""The keys of what has no fact, under which sweeps note it: folders of ids, contents of segments, markers. Pure.

The key of a job or batch is its id, that of a document or folder is the folder of its content.
"""

from collections.abc import Collection

from piperoll.log.record import partition_of
from piperoll.store import document_paths as documents
from piperoll.store import segments, uploads
from piperoll.store.segments import SegmentLine

FIRST = 0  # the partition whose worker sweeps what belongs to no partition: uploads, cache, empty segments
DOCUMENTS = (f"{documents.FOLDER}/", f"{documents.FOLDERS}/")


def line_key(line: SegmentLine) -> str:
    """The key of a content in a segment: its subject and its place."""
    return f"{line.subject} {line.range.uri}"


def mark_key(job_id: str, uri: str) -> str:
    """The key of a marker of a job or batch: of an upload, or for the removal of a document or folder."""
    return f"{job_id} {uri}"


def is_mark(key: str) -> bool:
    """Whether the key is of a marker of an upload."""
    return place_of(key).startswith(f"{uploads.USES}/")


def is_document(key: str) -> bool:
    """Whether the key is of a document or folder."""
    return key.startswith(DOCUMENTS)


def subject_of(key: str) -> str:
    """The job, batch, document or folder of a key; empty for a segment."""
    if is_document(key):
        return key.partition("/")[2]
    return "" if key.startswith(f"{segments.FOLDER}/") else key.partition(" ")[0]


def place_of(key: str) -> str:
    """The uri of a key that names one blob or one content of a segment; empty for the folder of an id."""
    return "" if is_document(key) else key.partition(" ")[2]


def segment_of(key: str) -> str:
    """The segment of a key, or the marker; empty for the folder of an id."""
    place = key if key.startswith(f"{segments.FOLDER}/") else place_of(key)
    return place.partition("#")[0]


def partition_of_key(key: str, partitions: int) -> int:
    """The partition that decides about a key."""
    subject = subject_of(key)
    return partition_of(subject, partitions) if subject else FIRST


def by_partition(keys: Collection[str], partitions: int) -> dict[int, set[str]]:
    """The keys of each partition."""
    found: dict[int, set[str]] = {}
    for key in keys:
        found.setdefault(partition_of_key(key, partitions), set()).add(key)
    return found
