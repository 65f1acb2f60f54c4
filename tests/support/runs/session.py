"""A place in which the `session` processor runs without its worker: a blob store, a template, a site, a provider."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

from piperoll.store.blobs import Blobs
from schemas.job_types.session import SessionParameters
from services.worker.processors.session import processor as session
from services.worker.providers import Providers, ProviderSetup
from services.worker.run.workspace import Limits, Workspace
from tests.support.files.pdf import pdf
from tests.support.servers.mistral import KEY, MistralServer
from tests.support.servers.website import Website
from tests.support.waiting import PATIENCE_S

TEMPLATE = """---
title: {{title|The title of the talk.}}
event: {{event}}
slides: {{slides|A list with one object for each slide.}}
---
# {{session}}

{videoplayer}

{{summary|A summary of the talk.}}

{slides}

End.
"""


class Reports(list):
    def __call__(self, step, percent, message=None, page=None, pages=None):
        self.append((step, percent))


class Stage:
    """A place to run sessions in, with or without a provider."""

    def __init__(self, folder: Path, site: Website, mistral: MistralServer | None = None):
        self.site = site
        self.folder = folder
        self.runs = 0
        self.templates = folder / "templates"
        self.templates.mkdir()
        (self.templates / "Trial_de.md").write_text(TEMPLATE)
        self.setup = ProviderSetup(mistral_key=KEY, mistral_url=mistral.url) if mistral else ProviderSetup()
        self.reports = Reports()
        self.workspace = self.new_workspace()

    def new_workspace(self, **changed) -> Workspace:
        self.runs += 1
        limits = {
            "roots": (),
            "max_bytes": 20_000_000,
            "max_pages": 20,
            "networks": (ip_network("127.0.0.0/8"),),
            "fetch_timeout_s": PATIENCE_S,
            "templates_dir": self.templates,
        }
        return Workspace(
            job_id="job-1",
            run=f"run-{self.runs}",
            owner="owner",
            attempt=1,
            blobs=Blobs((self.folder / "blobs").as_uri()),
            limits=Limits(**(limits | changed)),
            scratch=self.folder / f"scratch-{self.runs}",
            providers=Providers(self.setup),
        )

    def run(self, **given):
        asked = {
            "event": "Soil-Days",
            "session": "On soil: a talk",
            "url": self.site.url("/talk"),
            "filename": "on-soil.md",
            "track": "Main/Hall",
            "template": "Trial",
        }
        self.reports.clear()
        self.result = session.process(SessionParameters(**(asked | given)), self.workspace, self.reports)
        self.document = self.result.body(self.workspace.target_dir)
        return self.document

    def steps(self):
        return list(dict.fromkeys(step for step, _ in self.reports))

    def attach(self, pages=2, name="/files/The%20slides.pdf"):
        content = pdf(self.folder / "slides.pdf", pages).read_bytes()
        return self.site.file(name, content, "application/pdf")


def notes_with(document: dict[str, Any], text: str) -> list[str]:
    """The sentences of a result that contain the text."""
    return [note for note in document.get("notes", []) if text in note]
