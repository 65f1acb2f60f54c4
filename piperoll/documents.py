"""Where what belongs to documents lies in the blob store. Pure names; nothing is opened here.

A document's content lies at `documents/{document_id}/{sha256}`, its details at `documents/{document_id}/details/…`.
One that was removed leaves an empty marker: its id is used up (schemas.events.DocumentRemoved), so whoever finds the
same file again takes it in under another one.
"""

FOLDER = "documents"
REMOVED = "removed-documents"


def folder_of(document_id: str) -> str:
    """The folder of a document: its content and its details."""
    return f"{FOLDER}/{document_id}"


def details_of(document_id: str) -> str:
    """The folder of a document's details."""
    return f"{folder_of(document_id)}/details"


def removal_of(document_id: str) -> str:
    """The marker of a removed document."""
    return f"{REMOVED}/{document_id}"
