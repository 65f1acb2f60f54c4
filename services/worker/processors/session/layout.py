"""Where the files of a session lie and what they are called (contract 13, steps 4 and 5). Pure."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

MAX_CHARS = 50  # at most four bytes each: below the 255 that file systems take, with room for an ending
NAMELESS = "untitled"
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f]')
EDGES = " ."  # a name of dots is a folder; Windows drops them and blanks at the end
SPACES = re.compile(r"[-\s]+")


def safe_name(text: str) -> str:
    """A name that any file system takes, of at most 50 characters: hyphens become a space, forbidden characters `_`.

    So does what nobody can see, such as half of a surrogate pair: the API serves printable names alone.
    """
    spaced = SPACES.sub(" ", FORBIDDEN.sub("_", unicodedata.normalize("NFC", text)))
    seen = "".join(char if char.isprintable() else "_" for char in spaced)
    name = seen.strip(EDGES)[:MAX_CHARS].strip(EDGES)
    return name or NAMELESS


def stem(filename: str) -> str:
    """A Markdown file's name without its ending."""
    return filename[:-3] if filename.lower().endswith(".md") else filename


def attachment_stem(url: str) -> str:
    """What the folder of an attachment's previews is called: the file's own name without its ending."""
    return safe_name(PurePosixPath(unquote(urlsplit(url).path)).stem or "attachment")


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of one session's files, relative to the run's folder; all names as `safe_name` makes them."""

    event: str
    language: str
    track: str
    stem: str

    @classmethod
    def of(cls, event: str, language: str, track: str, stem: str) -> "Layout":
        """The layout for names as they come; the language stays as given."""
        return cls(safe_name(event), language, safe_name(track), safe_name(stem))

    @property
    def markdown(self) -> str:
        """`sessions/<Event>/<language>/<Track>/<filename>.md`."""
        return f"sessions/{self.archived_markdown}"

    @property
    def archived_markdown(self) -> str:
        """The same inside the archive, which has no `sessions` folder (contract 11)."""
        return f"{self.event}/{self.language}/{self.track}/{self.stem}.md"

    def assets(self, attachment: str) -> str:
        """`sessions/<Event>/assets/<attachment>`: where an attachment's previews lie."""
        return f"sessions/{self.archived_assets(attachment)}"

    def archived_assets(self, attachment: str) -> str:
        """The same inside the archive."""
        return f"{self.event}/assets/{attachment}"


def preview_name(page: int) -> str:
    """`preview_NNN.jpg`; pages count from 1."""
    return f"preview_{page:03d}.jpg"


def link_to_preview(attachment: str, page: int) -> str:
    """A link from the Markdown file to a preview, the same in the run's folder and in the archive."""
    return f"../../assets/{quote(attachment)}/{preview_name(page)}"
