"""A session's Markdown: the filled template, slides, player (docs/contract/secretary.md#session-run, steps 6, 7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from piperoll.domain.work import digest, shaping
from schemas.job_types.session import SessionParameters
from services.worker import templates
from services.worker.processors.session import markdown as session_markdown
from services.worker.processors.session import slides as session_slides
from services.worker.processors.session.layout import link_to_preview
from services.worker.providers import Providers


@dataclass(frozen=True, slots=True)
class Material:
    """The sources of the Markdown; without an attachment `texts` and `previews` are empty."""

    web_text: str
    transcript: str
    texts: Mapping[int, str] = field(default_factory=dict)
    previews: Mapping[int, Path] = field(default_factory=dict)

    def page_texts(self) -> list[str]:
        """Return the attachment's texts in the order of its pages."""
        return [self.texts[page] for page in sorted(self.texts)]


@dataclass(frozen=True, slots=True)
class NamedTemplate:
    """The name and content of the template that was found."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class SessionText:
    """The session as Markdown, the fields of its template with its slides, and sentences for the job's log."""

    markdown: str
    fields: dict[str, Any]
    notes: tuple[str, ...]


def write(
    params: SessionParameters, material: Material, template: NamedTemplate, attachment: str, providers: Providers
) -> SessionText:
    """Fill the template; `attachment` is the name of the previews' folder. Raises as `templates.fill` does."""
    links = {page: link_to_preview(attachment, page) for page in sorted(material.previews)}
    key = digest({"job_type": "session", "parameters": shaping(params)})
    context = session_markdown.context(
        params, material.transcript, list(links.values()), len(material.texts), template.name, key
    )
    text = session_markdown.model_text(material.web_text, material.page_texts())
    parsed = templates.parse(template.content)
    languages = templates.Languages(params.source_language, params.target_language)
    filled = templates.fill(parsed, text, context, languages, providers)
    shown = session_slides.slides(material.texts, links, filled.values.get("slides"))
    fields = {**filled.values, "slides": [slide.field() for slide in shown]}
    marks = session_markdown.marks(params.video_url, session_slides.table(shown))
    placed = replace(parsed, body=session_markdown.placed(parsed.body, marks))
    variables = {**context, **marks, "slides": fields["slides"]}
    return SessionText(templates.render(placed, fields, variables, text), fields, filled.notes)
