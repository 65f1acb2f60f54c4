"""The files of the page: what is vendored, what is loaded before the first picture, and what no module does."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.support.repository import ROOT

STATIC = ROOT / "services/api/page/static"
VENDOR = STATIC / "vendor"
BUDGET_BYTES = 150_000  # compressed, before the first picture
IMPORTS = re.compile(r"""(?:^|[;\n}])\s*(?:import|export)\s*(?:[\w$*\s{},]+?\s*from\s*)?["']([^"']+)["']""")
LATER = re.compile(r"""\bimport\(["']([^"']+)["']\)""")
UNSAFE = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc")
OWN = sorted(path for path in STATIC.rglob("*.js") if VENDOR not in path.parents)


def manifest() -> list[dict[str, str]]:
    entries: list[dict[str, str]] = json.loads((VENDOR / "manifest.json").read_text())
    return entries


def index() -> str:
    return (STATIC / "index.html").read_text()


def imported(file: Path) -> list[Path]:
    """The files that a module imports before it runs."""
    names = dict(re.findall(r'"([^"]+)": "/page/([^"]+)"', index()))
    found = IMPORTS.findall(file.read_text())
    return [STATIC / names[name] if name in names else (file.parent / name).resolve() for name in found]


def loaded_at_once() -> set[Path]:
    """All modules that the page needs before it draws anything."""
    found: set[Path] = set()
    open_ones = [STATIC / "app.js"]
    while open_ones:
        file = open_ones.pop()
        if file not in found:
            found.add(file)
            open_ones += imported(file)
    return found


def test_every_vendored_file_is_the_one_of_its_package_and_has_a_licence() -> None:
    entries = manifest()
    assert {entry["file"] for entry in entries} == {path.name for path in VENDOR.glob("*.js")}
    for entry in entries:
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
        assert (VENDOR / entry["licence_file"]).stat().st_size > 500, entry["file"]
        assert entry["licence"] in {"MIT", "Apache-2.0"}, "compatible with AGPL-3.0-or-later"


def test_the_page_is_small_before_its_first_picture() -> None:
    styles = [STATIC / name for name in re.findall(r'href="/page/([^"]+\.css)"', index())]
    files = [STATIC / "index.html", *styles, *loaded_at_once()]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) <= BUDGET_BYTES


def test_the_browser_learns_of_all_modules_at_once() -> None:
    hints = re.findall(r'<link rel="modulepreload" href="/page/([^"]+)">', index())
    assert len(hints) == len(set(hints))
    assert {STATIC / name for name in hints} == loaded_at_once() - {STATIC / "app.js"}


def test_markdown_is_loaded_when_a_text_needs_it() -> None:
    assert not {VENDOR / "marked.js", VENDOR / "purify.js"} & loaded_at_once()


@pytest.mark.parametrize("file", OWN, ids=lambda file: str(file.relative_to(STATIC)))
def test_a_module_is_short_and_imports_what_exists_and_makes_no_markup_of_texts(file: Path) -> None:
    text = file.read_text()
    assert not [word for word in UNSAFE if word in text]
    for name in [*imported(file), *((file.parent / name).resolve() for name in LATER.findall(text))]:
        assert name.is_file(), name
    assert len(text.splitlines()) <= 250 or file.name == "texts.js"


def test_every_module_is_used() -> None:
    used = loaded_at_once()
    assert set(OWN) <= used, sorted(str(file) for file in set(OWN) - used)


def test_no_file_of_ours_names_another_host() -> None:
    ours = [*OWN, *STATIC.rglob("*.css"), STATIC / "index.html"]
    named = {host for file in ours for host in re.findall(r"https?://([\w.-]+\w)", file.read_text())}
    assert not named


def test_the_index_has_no_inline_style_or_script_but_the_import_map() -> None:
    assert not re.search(r"\s(style|on\w+)=", index())
    assert re.findall(r"<script(?![^>]*\ssrc=)([^>]*)>", index()) == [' type="importmap"']
