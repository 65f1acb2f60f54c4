"""The input of a session's template, with placeholders (docs/contract/secretary.md#session-run, steps 6, 7). Pure."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from schemas.job_types.session import SessionParameters

PLAYER = "videoplayer"
TABLE = "slidetable"
MARKS = {"videoplayer": PLAYER, "slides": TABLE}
"""A template's placeholders, written `{name}`, and the variables that replace them."""
FALLBACK = "Session_en"
VIMEO_HOSTS = ("vimeo.com", "www.vimeo.com", "player.vimeo.com")
VIMEO_ID = re.compile(r"^[0-9]{1,20}$")
VIMEO_HASH = re.compile(r"^[0-9a-f]{4,64}$")


def template_names(template: str, language: str) -> tuple[str, ...]:
    """Return the names of templates to try, in order (docs/contract/secretary.md#session-run)."""
    return tuple(dict.fromkeys((f"{template}_{language}", template, FALLBACK)))


def model_text(web_text: str, page_texts: Sequence[str]) -> str:
    """Return the text that fills the template: the page's, then that of the slides."""
    slides = [f"--- Slide {number} ---\n{text.strip()}" for number, text in enumerate(page_texts, 1) if text.strip()]
    return "\n\n".join([web_text, *slides])


def context(
    params: SessionParameters,
    transcript: str,
    attachments: Sequence[str],
    page_count: int,
    template: str,
    cache_key: str,
) -> dict[str, Any]:
    """Return the variables of the template; missing parameters are empty.
    See docs/contract/secretary.md#session-run, step 6.

    `attachments` are links relative to the Markdown file, `template` is the name of the template that was found.
    """
    return {
        "event": params.event,
        "session": params.session,
        "track": params.track,
        "day": params.day or "",
        "starttime": params.starttime or "",
        "endtime": params.endtime or "",
        "speakers": params.speakers,
        "speakers_url": params.speakers_url,
        "speakers_image_url": params.speakers_image_url,
        "url": params.url,
        "video_url": params.video_url or "",
        "video_mp4_url": params.video_url if is_file(params.video_url) else "",
        "video_transcript": transcript,
        "attachments_url": params.attachments_url or "",
        "attachment_paths": list(attachments),
        "page_count": page_count,
        "cache_key": cache_key,
        "source_language": params.source_language,
        "target_language": params.target_language,
        "target": params.target or "",
        "template": template,
    }


def marks(video_url: str | None, table: str) -> dict[str, str]:
    """Return the values of the placeholders' variables."""
    return {PLAYER: player(video_url), TABLE: table}


def is_file(video_url: str | None) -> bool:
    """Whether a video's URL names a file that a browser can play, not a page with a player."""
    return video_url is not None and urlsplit(video_url).path.lower().endswith(
        (".mp4", ".m4v", ".webm", ".mov", ".ogv")
    )


def player(video_url: str | None) -> str:
    """Return the HTML for a video: a frame with Vimeo's player, else a video element; empty without a video."""
    if not video_url:
        return ""
    if frame := _vimeo(video_url):
        return (
            f'<iframe src="{escape(frame)}" width="640" height="360" allow="autoplay; fullscreen; picture-in-picture" '
            "allowfullscreen></iframe>"
        )
    return f'<video src="{escape(video_url)}" width="640" height="360" controls></video>'


def _vimeo(video_url: str) -> str | None:
    """Return Vimeo's player for `vimeo.com/ID`, `vimeo.com/ID/HASH` or `player.vimeo.com/video/ID?h=HASH`."""
    parts = urlsplit(video_url)
    if parts.hostname not in VIMEO_HOSTS:
        return None
    segments = [segment for segment in parts.path.split("/") if segment]
    at = next((index for index, segment in enumerate(segments) if VIMEO_ID.match(segment)), None)
    if at is None:
        return None
    hashes = [*segments[at + 1 : at + 2], *parse_qs(parts.query).get("h", [])]
    private = next((text for text in hashes if VIMEO_HASH.match(text)), None)
    return f"https://player.vimeo.com/video/{segments[at]}{f'?h={quote(private)}' if private else ''}"


def placed(body: str, variables: Mapping[str, str]) -> str:
    """Replace each placeholder in a template's body by `{{variable}}`; an empty one is removed with its line.

    The values are inserted by the engine, which does not scan them for placeholders.
    """
    for mark, variable in MARKS.items():
        written = rf"(?<!\{{)\{{{mark}\}}(?!\}})"
        if not variables.get(variable):
            body = re.sub(rf"(?m)^[ \t]*{written}[ \t]*\n(?:[ \t]*\n)?", "", body)
            body = re.sub(written, "", body)
        body = re.sub(written, f"{{{{{variable}}}}}", body)
    return body
