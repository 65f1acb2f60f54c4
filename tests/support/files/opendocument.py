"""OpenDocument files of given content."""

from pathlib import Path
from zipfile import ZipFile

from services.worker.opendocument.names import PREFIXES

SPACES = " ".join(f'xmlns:{prefix}="{space}"' for space, prefix in PREFIXES.items())
AUTOMATIC = """<style:style style:name="Strong" style:family="text"><style:text-properties fo:font-weight="bold"/>
</style:style><text:list-style style:name="Numbers"><text:list-level-style-number text:level="1" style:num-format="1"
style:num-suffix="."/></text:list-style>"""


def open_document(path: Path, kind: str, body: str, *, header: str = "", objects: dict[str, str] | None = None) -> Path:
    """A file of a kind such as `text`; `body` is what stands in `office:text` and the like."""
    with ZipFile(path, "w") as file:
        file.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        file.writestr("content.xml", root("document-content", f"<office:body><office:{kind}>{body}</office:{kind}>"
                      "</office:body>"))  # fmt: skip
        running = f"<style:header><text:p>{header}</text:p></style:header>"
        page = f'<style:master-page style:name="Standard">{running}</style:master-page>'
        file.writestr("styles.xml", root("document-styles", f"<office:master-styles>{page}</office:master-styles>"))
        for name, content in {"META-INF/manifest.xml": "<manifest/>", **(objects or {})}.items():
            file.writestr(name, content)
    return path


def root(name: str, content: str) -> str:
    """A part of a file with the styles that tests use."""
    styles = f"<office:automatic-styles>{AUTOMATIC}</office:automatic-styles>"
    return f"<office:{name} {SPACES}>{styles}{content}</office:{name}>"
