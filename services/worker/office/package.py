"""The package of an Office file (ISO/IEC 29500-2): its parts, and the relationships between them.

Names of parts are found in any case and with backslashes, as Office finds them. Namespaces of the Strict form are read
as those of the Transitional one. The ZIP has been checked before (`zip_bounds`).
"""

import codecs
import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote
from zipfile import ZipFile

from lxml import etree

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.office.names import children, name_of
from services.worker.office.notes import NoteList

STRICT: Final = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
"""A namespace or relationship of the Strict form (ISO/IEC 29500-1, annex A)."""
TITLE_CHARS: Final = 300
UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class DamagedPartError(Exception):
    """A part that is missing or is not XML."""


def require_root(part: "Part", name: str) -> Any:
    """Return the root of a document's part, which must have a name such as `w:document`.

    Raises DamagedPartError; ProcessingError UNSUPPORTED_FILE_TYPE for a root of that name in a foreign namespace.
    """
    root = part.root
    if name_of(root) == name:
        return root
    if str(root.tag).endswith("}" + name.partition(":")[2]):
        raise ProcessingError(
            ErrorCode.UNSUPPORTED_FILE_TYPE,
            "The file is not supported: it is in a form of Office Open XML that is neither Strict nor Transitional. "
            "Save it again with a current program.",
        )
    raise DamagedPartError(name)


@dataclass(frozen=True, slots=True)
class Relation:
    """A relationship: its `kind` is the last piece of its type, its `target` the name of a part or an address."""

    kind: str
    target: str
    external: bool


class Package:
    """The parts of an open file by name. Faults of parts go to `notes`."""

    def __init__(self, archive: ZipFile, notes: NoteList) -> None:
        self._archive = archive
        self._members = {_normal(name): name for name in archive.namelist()}
        self._parts: dict[str, Part] = {}
        self.notes = notes

    def __contains__(self, name: str) -> bool:
        return _normal(name) in self._members

    def read(self, name: str) -> bytes:
        """Return a part's bytes. Raises DamagedPartError for a missing one."""
        member = self._members.get(_normal(name))
        if member is None:
            raise DamagedPartError(name)
        return self._archive.read(member)

    def part(self, name: str) -> "Part":
        """Return a part; it is read when its content is first needed."""
        found = self._parts.get(_normal(name))
        if found is None:
            found = self._parts[_normal(name)] = Part(self, name)
        return found

    def main(self, usual: str) -> "Part":
        """Return the part of the document itself, by its relationship, else by its `usual` name."""
        root = Part(self, "")
        for relation in root.relations.values():
            if relation.kind == "officeDocument" and relation.target in self:
                return self.part(relation.target)
        return self.part(usual)

    def title(self) -> str:
        """Return the title in the document's properties (ISO/IEC 29500-2, 11.1), empty without one."""
        name = "docProps/core.xml"
        if name not in self:
            return ""
        try:
            root, _ = parsed(self.read(name))
        except DamagedPartError:
            return ""
        found = root.findtext("{http://purl.org/dc/elements/1.1/}title")
        return " ".join((found or "").split())[:TITLE_CHARS]


class Part:
    """One part of a package: its XML and its relationships."""

    def __init__(self, package: Package, name: str) -> None:
        self.package = package
        self.name = name

    @cached_property
    def root(self) -> Any:
        """The part's XML. What follows a fault of it may be missing, which a note names. Raises DamagedPartError."""
        root, whole = parsed(self.package.read(self.name))
        if not whole:
            self.package.notes.add(f"The part {self.name} of the file is damaged; some of it may be missing.")
        return root

    @cached_property
    def relations(self) -> dict[str, Relation]:
        """The relationships by id; empty where there are none."""
        folder, _, file = self.name.rpartition("/")
        name = posixpath.join(folder, "_rels", f"{file}.rels")
        if name not in self.package:
            return {}
        try:
            root, _ = parsed(self.package.read(name))
        except DamagedPartError:
            self.package.notes.add(f"The part {name} of the file is damaged; what it leads to may be missing.")
            return {}
        return {entry.get("Id", ""): self._relation(entry) for entry in children(root, "rel:Relationship")}

    def related(self, relation_id: str | None) -> "Part":
        """Return the part that a relationship leads to. Raises DamagedPartError without it."""
        relation = self.relations.get(relation_id or "")
        if relation is None or relation.external or relation.target not in self.package:
            raise DamagedPartError(relation_id)
        return self.package.part(relation.target)

    def link(self, relation_id: str | None) -> str:
        """Return the address that a relationship leads to, empty without one."""
        relation = self.relations.get(relation_id or "")
        return relation.target if relation is not None and relation.external else ""

    def parts(self, kind: str) -> list["Part"]:
        """Return the parts that relationships of a kind lead to, without missing ones."""
        targets = (entry.target for entry in self.relations.values() if entry.kind == kind and not entry.external)
        return [self.package.part(target) for target in targets if target in self.package]

    def forget(self) -> None:
        """Release the XML."""
        self.__dict__.pop("root", None)

    def _relation(self, entry: Any) -> Relation:
        kind = entry.get("Type", "").rstrip("/").rpartition("/")[2]
        target = entry.get("Target", "")
        if entry.get("TargetMode", "").lower() == "external":
            return Relation(kind, target, external=True)
        path = target.replace("\\", "/").partition("#")[0]
        place = posixpath.normpath(posixpath.join("/", posixpath.dirname(self.name), path)).lstrip("/")
        return Relation(kind, place if place in self.package else unquote(place), external=False)


@contextmanager
def opened(path: str, notes: NoteList) -> Iterator[Package]:
    """Open the package of a file."""
    with ZipFile(path) as archive:
        yield Package(archive, notes)


def parsed(content: bytes) -> tuple[Any, bool]:
    """Return the root of an XML part, and whether it is well-formed. Raises DamagedPartError."""
    if content.startswith(UTF_16):
        content = re.sub(r"^\s*<\?xml[^>]*\?>", "", content.decode("utf-16", "replace")).encode()
    if b"purl.oclc.org/ooxml" in content:
        content = STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", content)
    for recover in (False, True):
        with suppress(etree.XMLSyntaxError):
            root = etree.fromstring(content, xml_parser(recover))
            if root is not None:
                return root, not recover
    raise DamagedPartError("no XML")


def xml_parser(recover: bool = False) -> Any:
    """Return a parser that expands no entities and loads nothing."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )


def _normal(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()
