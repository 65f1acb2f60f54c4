"""An open OpenDocument file: its parts, and its text, pages or sheets as blocks, with the net under the reader."""

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from zipfile import ZipFile

from schemas.blocks import Block, BlockKind, block
from schemas.errors import ErrorCode
from services.worker.blocks import net
from services.worker.errors import ProcessingError
from services.worker.office.notes import NoteList
from services.worker.office.package import DamagedPartError, parsed
from services.worker.office.spans import lines, lines_of
from services.worker.opendocument.names import attribute, below, name_of
from services.worker.opendocument.reader import UNSHOWN, ContentReader, Take
from services.worker.opendocument.styles import StyleSheet

CONTENT, STYLES, META, MANIFEST = "content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"
TITLE_CHARS: Final = 300
UNITS: Final = {"office:spreadsheet": "sheet", "office:presentation": "slide", "office:drawing": "page"}
PARTS: Final = {"office:spreadsheet": "table:table", "office:presentation": "draw:page", "office:drawing": "draw:page"}
HEADERS: Final = ("style:header", "style:header-left", "style:header-first")
FOOTERS: Final = ("style:footer", "style:footer-left", "style:footer-first")
READ_OTHERWISE: Final = (UNSHOWN - {"svg:title", "svg:desc"}) | {"dc:date"}
ENDS: Final = frozenset({"text:p", "text:h", "text:tab", "text:s", "text:line-break", "svg:title", "svg:desc"})


class OpenDocument:
    """An open file. `notes` take what could not be read."""

    def __init__(self, archive: ZipFile, notes: NoteList, take: Take) -> None:
        """Raises ProcessingError FILE_ENCRYPTED, UNSUPPORTED_FILE_TYPE; DamagedPartError."""
        self._archive = archive
        self._names = frozenset(archive.namelist())
        self.notes = notes
        self._require_plain()
        root = self._root(CONTENT)
        body = next((inner for found in root if name_of(found) == "office:body" for inner in found), None)
        if body is None:
            raise DamagedPartError(CONTENT)
        self._body = body
        self._styles_root = self._optional(STYLES)
        roots = [one for one in (self._styles_root, root) if one is not None]
        self._reader = ContentReader(StyleSheet(roots), notes, take, self._embedded)
        self.unit = UNITS.get(name_of(body))

    def title(self) -> str:
        """Return the title in the file's properties, empty without one."""
        root = self._optional(META)
        found = next(("".join(one.itertext()) for one in below(root, "dc:title")), "") if root is not None else ""
        return " ".join(found.split())[:TITLE_CHARS]

    def parts(self) -> list[Any]:
        """Return the elements of the sheets, slides or pages; of a text the whole."""
        kind = PARTS.get(name_of(self._body))
        return [self._body] if kind is None else [one for one in self._body if name_of(one) == kind]

    def blocks(self, part: Any) -> tuple[tuple[Block, ...], list[str]]:
        """Return the blocks of a part, and warnings about words of it that they lack."""
        place = f"on the {self.unit} {_name(part)}".rstrip() if self.unit else "in the document"
        found = self._reader.blocks(part)
        name = _name(part)
        if self.unit == "sheet" and name:
            found = [block(BlockKind.HEADING, name, 2), *found]
        sources = [(place, _words(part))]
        lost = net.missing(sources, net.block_texts(found))
        return tuple(found), net.warnings(lost)

    def furniture(self) -> tuple[list[Block], list[Block]]:
        """Return the headers and the footers of a text, each once; those of other files are made of fields alone."""
        if self.unit is not None or self._styles_root is None:
            return [], []
        return self._running(HEADERS, BlockKind.PAGE_HEADER), self._running(FOOTERS, BlockKind.PAGE_FOOTER)

    def _running(self, names: tuple[str, ...], kind: BlockKind) -> list[Block]:
        found: dict[str, Block] = {}
        for element in below(self._styles_root, *names):
            inner = [one for part in element for one in self._reader.blocks(part)]
            spans = lines([line for one in inner for line in lines_of(one)])
            words = "".join(span.text for span in spans)
            if words.strip() and not words.strip().isdigit():
                found.setdefault(words, Block(kind, spans))
        return list(found.values())

    def _require_plain(self) -> None:
        manifest = self._optional(MANIFEST)
        if manifest is not None and any(str(one.tag).endswith("}encryption-data") for one in manifest.iter()):
            raise ProcessingError(ErrorCode.FILE_ENCRYPTED, "The file is protected by a password: send it without one.")

    def _root(self, name: str) -> Any:
        if name not in self._names:
            raise DamagedPartError(name)
        root, whole = parsed(self._archive.read(name))
        if not whole:
            self.notes.add(f"The part {name} of the file is damaged; some of it may be missing.")
        return root

    def _optional(self, name: str) -> Any:
        with suppress(DamagedPartError):
            return self._root(name) if name in self._names else None
        return None

    def _embedded(self, address: str) -> Any:
        """Return the body of an embedded object."""
        root = self._optional(posixpath.normpath(posixpath.join(address, CONTENT)))
        if root is None or name_of(root) == "math:math":
            return root
        return next((found for found in root if name_of(found) == "office:body"), None)


@contextmanager
def opened(path: str, notes: NoteList, take: Take) -> Iterator[OpenDocument]:
    """Open a file, whose ZIP has been checked before. Raises as OpenDocument."""
    with ZipFile(path) as archive:
        yield OpenDocument(archive, notes, take)


def _name(part: Any) -> str:
    return attribute(part, "table:name") or attribute(part, "draw:name")


def _words(part: Any) -> str:
    """Return all that is written in a part, by a walk that knows paragraphs alone."""
    pieces: list[str] = []
    waiting: list[Any] = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            pieces.append(one)
        elif isinstance(one.tag, str) and name_of(one) not in READ_OTHERWISE:
            end = "\n" if name_of(one) in ENDS else ""
            inner = [piece for child in one for piece in (child, child.tail or "")]
            waiting.extend(reversed([end, one.text or "", *inner, end]))
    return "".join(pieces)
