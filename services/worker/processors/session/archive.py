"""The ZIP of a session (contract 11): a README, the Markdown, the previews. The same input gives the same bytes."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from schemas.job_types.session import SessionParameters
from services.worker.files import zip_writer

README = "README.md"


def write(target: Path, asked: SessionParameters, markdown: tuple[str, str], previews: Mapping[str, Path]) -> None:
    """Writes the archive to `target`: `markdown` is its place inside and its text, `previews` files by place.

    The README stands first, then the Markdown, then previews in the order of their places. Raises OSError.
    """
    place, text = markdown
    with zip_writer.writing(target) as archive:
        archive.add(README, readme(asked, place, previews).encode(), packed=True)
        archive.add(place, text.encode(), packed=True)
        for name in sorted(previews):
            archive.add(name, previews[name].read_bytes())


def readme(asked: SessionParameters, markdown: str, assets: Iterable[str]) -> str:
    """What the archive holds, in Markdown. `markdown` and `assets` are places inside it."""
    facts = {
        "Event": asked.event,
        "Track": asked.track,
        "Day": asked.day,
        "Time": " to ".join(time for time in (asked.starttime, asked.endtime) if time),
        "Speakers": ", ".join(name for name in asked.speakers if name),
        "Page": asked.url,
        "Video": asked.video_url,
        "Attachment": asked.attachments_url,
        "Language": f"{asked.target_language.upper()} (from {asked.source_language.upper()})",
    }
    return "\n".join(
        [f"# {_line(asked.session)}", "", *_listed(facts), "", "## Files", "", *_files(markdown, assets), ""]
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
