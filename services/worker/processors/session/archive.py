"""The ZIP of a session (docs/contract/secretary.md#archives): a README, the Markdown, the previews. Reproducible."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from schemas.job_types.session import SessionParameters
from services.worker.files import archive_writer

README = "README.md"


def write(target: Path, params: SessionParameters, markdown: tuple[str, str], previews: Mapping[str, Path]) -> None:
    """Write the archive to `target`: `markdown` is its path and text, `previews` maps paths to files.

    The README is first, then the Markdown, then the previews in the order of their paths. Raises OSError.
    """
    place, text = markdown
    with archive_writer.writing(target) as archive:
        archive.add(README, readme(params, place, previews).encode(), packed=True)
        archive.add(place, text.encode(), packed=True)
        for name in sorted(previews):
            archive.add(name, previews[name].read_bytes())


def readme(params: SessionParameters, markdown: str, assets: Iterable[str]) -> str:
    """Return the README of the archive. `markdown` and `assets` are paths in the archive."""
    facts = {
        "Event": params.event,
        "Track": params.track,
        "Day": params.day,
        "Time": " to ".join(time for time in (params.starttime, params.endtime) if time),
        "Speakers": ", ".join(name for name in params.speakers if name),
        "Page": params.url,
        "Video": params.video_url,
        "Attachment": params.attachments_url,
        "Language": f"{params.target_language.upper()} (from {params.source_language.upper()})",
    }
    return "\n".join(
        [f"# {_line(params.session)}", "", *_listed(facts), "", "## Files", "", *_files(markdown, assets), ""]
    )


def _listed(facts: Mapping[str, str | None]) -> list[str]:
    return [f"- {name}: {_line(value)}" for name, value in facts.items() if value]


def _files(markdown: str, assets: Iterable[str]) -> list[str]:
    previews = sorted(assets)
    lines = [f"- `{markdown}`"]
    if previews:
        lines.append(f"- `{previews[0].rpartition('/')[0]}/`: previews of {len(previews)} pages")
    return lines


def _line(text: str) -> str:
    return " ".join(text.split())
