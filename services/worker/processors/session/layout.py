"""The paths and names of a session's files (docs/contract/secretary.md#session-run, steps 4 and 5). Pure."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

MAX_CHARS = 50  # of at most four bytes: below the 255 bytes of file systems, with room for an extension
NAMELESS = "untitled"
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f]')
EDGES = " ."  # a name of dots is a folder; Windows drops dots and blanks at the end
SPACES = re.compile(r"[-\s]+")


def safe_name(text: str) -> str:
    """Return a name that is valid on any file system, of at most 50 characters.

    Hyphens become a space; forbidden and unprintable characters become `_`, since the API serves printable names only.
    """
    spaced = SPACES.sub(" ", FORBIDDEN.sub("_", unicodedata.normalize("NFC", text)))
    printable = "".join(char if char.isprintable() else "_" for char in spaced)
    name = printable.strip(EDGES)[:MAX_CHARS].strip(EDGES)
    return name or NAMELESS


def stem(filename: str) -> str:
    """Return a Markdown file's name without its extension."""
    return filename[:-3] if filename.lower().endswith(".md") else filename


def attachment_stem(url: str) -> str:
    """Return the folder name of an attachment's previews: the file's name without its extension."""
    return safe_name(PurePosixPath(unquote(urlsplit(url).path)).stem or "attachment")


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of a session's files, relative to the run's folder; all names are safe names."""

    event: str
    language: str
    track: str
    stem: str

    @classmethod
    def of(cls, event: str, language: str, track: str, stem: str) -> "Layout":
        """Build the layout from unsafe names; the language is not changed."""
        return cls(safe_name(event), language, safe_name(track), safe_name(stem))

    @property
    def markdown(self) -> str:
        """`sessions/<Event>/<language>/<Track>/<filename>.md`."""
        return f"sessions/{self.archived_markdown}"

    @property
    def archived_markdown(self) -> str:
        """The path in the archive, which has no `sessions` folder (docs/contract/secretary.md#archives)."""
        return f"{self.event}/{self.language}/{self.track}/{self.stem}.md"

    def assets(self, attachment: str) -> str:
        """Return the folder of an attachment's previews, `sessions/<Event>/assets/<attachment>`."""
        return f"sessions/{self.archived_assets(attachment)}"

    def archived_assets(self, attachment: str) -> str:
        """Return the folder of an attachment's previews in the archive."""
        return f"{self.event}/assets/{attachment}"


def preview_name(page: int) -> str:
    """Return `preview_NNN.jpg`; pages count from 1."""
    return f"preview_{page:03d}.jpg"


def link_to_preview(attachment: str, page: int) -> str:
    """Return the link from the Markdown file to a preview, the same in the run's folder and in the archive."""
    return f"../../assets/{quote(attachment)}/{preview_name(page)}"
