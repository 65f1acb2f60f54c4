"""What the routes work with, put together by the composition root and found on the app."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from piperoll.store.blobs import AsyncBlobs
from services.api.api_keys.commands import KeyAdmin
from services.api.devana_jobs.listing import DevanaListing
from services.api.documents.commands import DocumentCommands
from services.api.documents.upload import DocumentIntake
from services.api.endpoints.commands import EndpointCommands
from services.api.folders.search import Search
from services.api.jobs.commands import Commands
from services.api.jobs.creation import Creator
from services.api.jobs.listing import JobListing
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Rules
from services.api.outputs.files import Outputs
from services.api.owner_stream.changes import ChangeFeed
from services.api.read_model.jobs import ReadModel
from services.api.read_model.library import Library
from services.api.redelivery.commands import Redelivery
from services.api.signing_keys.commands import SigningKeyAdmin
from services.api.trials.posting import Trials


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the API. `problems` is what keeps it from being ready, by name."""

    rules: Rules
    commands: Commands
    creator: Creator
    reading: Reading
    changes: ChangeFeed
    listing: JobListing
    devana_listing: DevanaListing
    endpoints: EndpointCommands
    signing_keys: SigningKeyAdmin
    key_admin: KeyAdmin
    library: Library
    documents: DocumentCommands
    intake: DocumentIntake
    search: Search
    outputs: Outputs
    read_model: ReadModel
    redelivery: Redelivery
    trials: Trials
    blobs: AsyncBlobs
    problems: Callable[[], dict[str, str]]
    max_body_bytes: int
    max_upload_bytes: int
    document_wait_s: float


def parts_of(request: Request) -> Parts:
    """The parts of the app that a request came to."""
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts
