"""Citations lead to headings, and the documents are in plain English."""

import re

from tests.support.repository import FOLDERS, ROOT, anchors, text

CITING = sorted(
    path
    for folder in (*FOLDERS, ".")
    for path in (ROOT / folder).glob("*" if folder == "." else "**/*")
    if path.suffix in (".py", ".sql", ".sh", ".js", ".md", ".html", ".json", ".yaml", ".toml")
    or path.name == "Makefile"
)

CITATION = re.compile(r"\b(docs/[\w/-]+\.md)((?:(?:, | and )?#[\w-]+)*)")
"""A document, and anchors of it: `docs/contract/devana.md#mapping, #retry`."""

UNCITABLE = re.compile(r"\b[Cc]ontract A?[0-9]|\bdesign\.md\b|\(design:\s")
"""Citations of texts that are not in this repository."""


README_LINES = 160


def test_every_citation_of_a_document_leads_to_a_heading_of_it() -> None:
    for path in CITING:
        for name, headings in CITATION.findall(re.sub(r"\s+(?:# )?", " ", path.read_text(encoding="utf-8"))):
            assert (ROOT / name).exists(), f"{path.relative_to(ROOT)} cites {name}"
            assert headings or "/contract/" not in name or path.suffix == ".md", (
                f"{path.relative_to(ROOT)} cites {name} without a heading"
            )
            missing = set(re.findall(r"#([\w-]+)", headings)) - anchors(ROOT / name)
            assert not missing, f"{path.relative_to(ROOT)} cites {name} with {missing}"


def test_nothing_cites_a_text_that_is_not_here() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in CITING
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNCITABLE.search(line)
    ]
    assert found == []


def test_the_readme_is_short() -> None:
    assert len(text("README.md").splitlines()) <= README_LINES
