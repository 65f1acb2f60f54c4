"""Office files from their XML: what libraries that write such files cannot make, and odd packages."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from services.worker.office.names import NAMESPACES

OPEN = "http://schemas.openxmlformats.org"
RELATIONS = f"{OPEN}/officeDocument/2006/relationships"
USED = " ".join(f'xmlns:{prefix}="{namespace}"' for prefix, namespace in NAMESPACES.items() if prefix != "s")
"""Declarations of all prefixes, for the root of a part."""
TYPES = f'<Types xmlns="{OPEN}/package/2006/content-types"/>'
Parts = Mapping[str, str | bytes]
Links = Sequence[tuple[str, str, str]]
"""Relationships: id, kind, target; a target that is an address is external."""


def rels(links: Links) -> str:
    """The XML of relationships."""
    entries = "".join(
        f'<Relationship Id="{name}" Type="{RELATIONS}/{kind}" Target="{target}"'
        f"{' TargetMode=' + chr(34) + 'External' + chr(34) if '://' in target else ''}/>"
        for name, kind, target in links
    )
    return f'<Relationships xmlns="{OPEN}/package/2006/relationships">{entries}</Relationships>'


def package(path: Path, parts: Parts) -> Path:
    """A ZIP of these parts and a list of content types."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in {"[Content_Types].xml": TYPES, **parts}.items():
            archive.writestr(name, content)
    return path


def element(name: str, inner: str) -> str:
    """The root of a part with every prefix declared."""
    main = f'xmlns="{NAMESPACES["s"]}" ' if ":" not in name else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><{name} {main}{USED}>{inner}</{name}>'


def word(path: Path, body: str, links: Links = (), parts: Parts | None = None) -> Path:
    """A Word document of this body; `links` lead to `parts`, which are in the folder `word`."""
    return package(
        path,
        {
            "_rels/.rels": rels([("r1", "officeDocument", "word/document.xml")]),
            "word/document.xml": element("w:document", f"<w:body>{body}</w:body>"),
            "word/_rels/document.xml.rels": rels(links),
            **{f"word/{name}": content for name, content in (parts or {}).items()},
        },
    )


def deck(path: Path, slides: Sequence[str], links: Links = (), parts: Parts | None = None) -> Path:
    """A presentation: of each slide its shapes. `links` of every slide lead to `parts` in the folder `ppt`."""
    numbers = range(1, len(slides) + 1)
    entries = "".join(f'<p:sldId id="{255 + n}" r:id="s{n}"/>' for n in numbers)
    return package(
        path,
        {
            "_rels/.rels": rels([("r1", "officeDocument", "ppt/presentation.xml")]),
            "ppt/presentation.xml": element("p:presentation", f"<p:sldIdLst>{entries}</p:sldIdLst>"),
            "ppt/_rels/presentation.xml.rels": rels([(f"s{n}", "slide", f"slide{n}.xml") for n in numbers]),
            **{f"ppt/slide{n}.xml": element("p:sld", f"<p:cSld><p:spTree>{shapes}</p:spTree></p:cSld>")
               for n, shapes in zip(numbers, slides, strict=True)},
            **{f"ppt/_rels/slide{n}.xml.rels": rels(links) for n in numbers},
            **{f"ppt/{name}": content for name, content in (parts or {}).items()},
        },
    )  # fmt: skip


def book(path: Path, sheets: Mapping[str, str], links: Links = (), parts: Parts | None = None) -> Path:
    """A workbook: of each sheet its XML within `worksheet`. `links` of every sheet lead to `parts` in `xl`."""
    numbers = range(1, len(sheets) + 1)
    entries = "".join(f'<sheet name="{name}" r:id="s{n}"/>' for n, name in zip(numbers, sheets, strict=True))
    shared = [("st", "styles", "styles.xml"), ("ss", "sharedStrings", "sharedStrings.xml")]
    return package(
        path,
        {
            "_rels/.rels": rels([("r1", "officeDocument", "xl/workbook.xml")]),
            "xl/workbook.xml": element("workbook", f"<sheets>{entries}</sheets>"),
            "xl/_rels/workbook.xml.rels": rels([*((f"s{n}", "worksheet", f"sheet{n}.xml") for n in numbers), *shared]),
            **{f"xl/sheet{n}.xml": element("worksheet", xml) for n, xml in zip(numbers, sheets.values(), strict=True)},
            **{f"xl/_rels/sheet{n}.xml.rels": rels(links) for n in numbers},
            **{f"xl/{name}": content for name, content in (parts or {}).items()},
        },
    )


# --- pieces -------------------------------------------------------------------------------------------------------


def run(text: str, properties: str = "") -> str:
    """A run of Word."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(inner: str, properties: str = "") -> str:
    """A paragraph of Word."""
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}</w:p>"


def line(text: str) -> str:
    """A paragraph of Word with a text."""
    return paragraph(run(text))


def drawn(text: str) -> str:
    """A paragraph of DrawingML."""
    return f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>"


def shape(text: str, *, placeholder: str = "", top: int = 0, left: int = 0) -> str:
    """A shape of a slide."""
    kind = f'<p:ph type="{placeholder}"/>' if placeholder else ""
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name="x"/><p:cNvSpPr/><p:nvPr>{kind}</p:nvPr></p:nvSpPr>'
        f'<p:spPr><a:xfrm><a:off x="{left}" y="{top}"/></a:xfrm></p:spPr><p:txBody>{drawn(text)}</p:txBody></p:sp>'
    )


def frame(inner: str) -> str:
    """A graphic in a frame of a slide."""
    return (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="2" name="x"/></p:nvGraphicFramePr>'
        f"<a:graphic><a:graphicData>{inner}</a:graphicData></a:graphic></p:graphicFrame>"
    )


CHART = '<c:chart r:id="chart"/>'
DIAGRAM = '<dgm:relIds r:dm="diagram"/>'


def chart(kind: str = "barChart", title: str = "Sales", categories: Sequence[str] = ("Q1", "Q2"),
          series: Mapping[str, Sequence[float]] | None = None, code: str = "General") -> str:  # fmt: skip
    """A chart of any kind with its numbers."""

    def points(texts: Sequence[object]) -> str:
        return "".join(f'<c:pt idx="{n}"><c:v>{text}</c:v></c:pt>' for n, text in enumerate(texts))

    written = "".join(
        f"<c:ser><c:tx><c:strRef><c:strCache>{points([name])}</c:strCache></c:strRef></c:tx>"
        f"<c:cat><c:strRef><c:strCache>{points(categories)}</c:strCache></c:strRef></c:cat>"
        f"<c:val><c:numRef><c:numCache><c:formatCode>{code}</c:formatCode>{points(values)}</c:numCache></c:numRef>"
        "</c:val></c:ser>"
        for name, values in (series or {"North": [1, 2]}).items()
    )
    return element(
        "c:chartSpace",
        f"<c:chart><c:title><c:tx><c:rich>{drawn(title)}</c:rich></c:tx></c:title>"
        f"<c:plotArea><c:{kind}>{written}</c:{kind}></c:plotArea></c:chart>",
    )


def diagram(*points: str) -> str:
    """The data of a SmartArt."""
    found = "".join(f'<dgm:pt modelId="{n}"><dgm:t>{drawn(text)}</dgm:t></dgm:pt>' for n, text in enumerate(points))
    return element("dgm:dataModel", f"<dgm:ptLst>{found}</dgm:ptLst>")
