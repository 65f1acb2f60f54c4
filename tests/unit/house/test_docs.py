"""The documents match the code: every path, command, setting, route, topic, metric and room that they name exists."""

import ast
import importlib
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from typer.main import get_command

from piperoll.cli.main import app
from piperoll.settings import ClientSettings, Settings
from schemas.events import EVENTS
from schemas.topics import MANIFEST
from services.api import assembly
from services.api.http.routing import Routes

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FOLDERS = ("schemas", "piperoll", "services", "deploy", "tests", "docs", "bench")
SECTIONS = ["Context", "Decision", "Consequences", "Evidence"]
NAMING_COMMANDS = [*DOCUMENTS, ROOT / "Makefile", ROOT / "deploy/compose.yaml"]
METRICS = (
    "piperoll.telemetry",
    "services.api.metrics",
    "services.notifier.metrics",
    "services.projector.metrics",
    "services.worker.children.pool",
    "services.worker.metrics",
)
"""The modules that register metrics."""
COMPUTED = {"PIPEROLL_INSTANCE", "PIPEROLL_SLOTS"}
"""Settings whose default depends on the machine."""
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
MANNERED = re.compile(
    r"\b(anew|tells?|told|telling|says?|said|nobody|somebody|whoever|whomever|what (came|becomes?|became) of)\b"
    r"|(?<!there )\b(is|are|was|were) no (?!longer\b)|\bof (ours|yours|(its|one's|their) own)\b|\bunder way\b",
    re.IGNORECASE,
)
"""Words that plain technical English does without."""
PROMPTS = ("services/worker/processors/generation.py", "services/worker/templates/prompts.py")
"""Their texts are for language models, whose answers depend on each word."""
PRODUCT = sorted(
    path
    for folder in ("services", "piperoll", "schemas", "bench")
    for path in (ROOT / folder).glob("**/*")
    if path.suffix in (".py", ".sql")
)
README_LINES = 150


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code(document: Path) -> Iterator[str]:
    """Every piece of code in a document: inline ones, and the lines of fenced blocks with continued lines joined."""
    content = document.read_text(encoding="utf-8")
    for block in re.findall(r"^```(?:sh)?\n(.*?)^```", content, flags=re.MULTILINE | re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", content, flags=re.MULTILINE | re.DOTALL))


documents = pytest.mark.parametrize("document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])


@documents
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", document.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@documents
def test_every_path_that_is_named_exists(document: Path) -> None:
    for piece in code(document):
        for word in piece.split():
            named = word.partition("#")[0].strip("'\"(),;:=").rstrip(".")
            if named.split("/")[0] in FOLDERS and "/" in named and not re.search(r"[{<*…]", named):
                assert (ROOT / named).exists(), f"{named} in {document.name}"


@documents
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), flags=re.MULTILINE))
    for piece in code(document):
        if call := re.match(r"make ((?:[a-z]+ ?)+)", piece):
            assert set(call[1].split()) <= targets, piece


@pytest.mark.parametrize("document", NAMING_COMMANDS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists_with_its_options(document: Path) -> None:
    pieces = code(document) if document.suffix == ".md" else document.read_text(encoding="utf-8").splitlines()
    for piece in pieces:
        for call in re.findall(r"(?:^|\s|/)piperoll ((?:[a-z]+ )?[a-z]+[^|`#]*)", f"{piece}\n"):
            check_call(call.split(), piece)


def test_every_command_is_named_somewhere() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    written = " ".join(piece for document in DOCUMENTS for piece in code(document))
    for name in commands:
        assert re.search(rf"\b{name}\b", written), name


def test_every_setting_has_a_row_in_the_operator_s_tables_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(PIPEROLL_\w+)` \| ([^|]+?) \|", text("docs/operating.md"), flags=re.MULTILINE))
    assert sorted(rows) == sorted(f"PIPEROLL_{name.upper()}" for name in Settings.model_fields)
    for name, field in Settings.model_fields.items():
        variable = f"PIPEROLL_{name.upper()}"
        if variable not in COMPUTED:
            assert rows[variable] == shown(field.default), variable


@documents
def test_every_variable_that_is_named_is_a_setting(document: Path) -> None:
    known = {f"PIPEROLL_{name.upper()}" for model in (Settings, ClientSettings) for name in model.model_fields}
    assert set(re.findall(r"\bPIPEROLL_\w+[A-Z]\b", document.read_text(encoding="utf-8"))) <= known


def test_the_tables_of_requests_are_what_the_api_serves() -> None:
    rows = re.findall(r"^\| `([A-Z]+) (/(?:api|v1)/\S*)` \|", text("docs/api.md"), flags=re.MULTILINE)
    listed = set(rows)
    assert len(rows) == len(listed), "a request has two rows"
    rooms = [room for room in vars(assembly).values() if isinstance(room, type) and issubclass(room, Routes)]
    served = {
        (one.method, one.path.replace(":path", ""))
        for room in rooms
        for one in room.served()
        if one.operation is not None
    }
    assert listed == served


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


@documents
def test_the_documents_are_written_in_plain_technical_english(document: Path) -> None:
    content = re.sub(r"^```.*?^```|`[^`\n]+`", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"\]\([^)]*\)", "]", content)
    assert [found.group(0) for found in MANNERED.finditer(prose)] == []


def test_the_code_is_written_in_plain_technical_english() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word.group(0)!r} in {prose.strip()[:80]!r}"
        for path in PRODUCT
        for prose in (sql_comments(path) if path.suffix == ".sql" else python_prose(path))
        for word in MANNERED.finditer(" ".join(prose.split()))
    ]
    assert found == []


def test_the_readme_is_short() -> None:
    assert len(text("README.md").splitlines()) <= README_LINES


def test_every_topic_and_every_event_has_a_row_in_the_architecture_with_its_writers() -> None:
    architecture = text("docs/architecture.md")
    rows = dict(re.findall(r"^\| `([\w.-]+)` \| (.+) \|$", architecture, flags=re.MULTILINE))
    assert {topic.name for topic in MANIFEST} | EVENTS.keys() <= rows.keys()
    for topic in MANIFEST:
        assert rows[topic.name].endswith(f"| {', '.join(topic.writers)}"), topic.name
    for event in EVENTS.values():
        writers = rows[event.__name__].split("|")[0]
        assert set(re.findall(r"api|worker|notifier", writers)) == set(event.writers), event


def test_the_glossary_defines_each_term_once_in_order() -> None:
    cells = re.findall(r"^\| (?!term |---)([^|]+?) \|", text("docs/glossary.md"), flags=re.MULTILINE)
    terms = [term.strip("`") for cell in cells for term in cell.split(", ")]
    assert len(terms) == len(set(terms))
    assert cells == sorted(cells, key=str.lower)


def test_every_room_of_the_services_has_a_row_in_the_architecture() -> None:
    rows = re.findall(
        r"^\| (`(?:api|worker|projector|notifier)/.+?`) \|", text("docs/architecture.md"), flags=re.MULTILINE
    )
    named = [room for row in rows for room in re.findall(r"`([\w/]+)`", row)]
    rooms = {str(path.parent.relative_to(ROOT / "services")) for path in ROOT.glob("services/*/*/__init__.py")}
    assert sorted(named) == sorted(rooms)


def test_every_metric_is_explained_and_every_explained_metric_exists() -> None:
    for module in METRICS:
        importlib.import_module(module)
    registered = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in REGISTRY.collect()
        if metric.name.startswith("piperoll_")
    }
    assert set(re.findall(r"`(piperoll_\w+)`", text("docs/operating.md"))) == registered


def test_every_decision_has_its_context_consequences_and_evidence_and_a_number_of_its_own() -> None:
    decisions = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        content = path.read_text(encoding="utf-8")
        assert content.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall(r"^## (.+)$", content, flags=re.MULTILINE) == SECTIONS, path.name


def python_prose(path: Path) -> Iterator[str]:
    """The comments, docstrings and other string literals of a module, but not its identifiers."""
    content = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    if str(path.relative_to(ROOT)) not in PROMPTS:
        for node in ast.walk(ast.parse(content)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def sql_comments(path: Path) -> Iterator[str]:
    yield from re.findall(r"--.*", path.read_text(encoding="utf-8"))


@cache
def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub derives them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def shown(default: object) -> str:
    """A default as the tables show it."""
    plain = default.get_secret_value() if isinstance(default, SecretStr) else default
    if plain == "":
        return "-"
    if isinstance(plain, bool):
        return f"`{str(plain).lower()}`"
    return f"`{plain:g}`" if isinstance(plain, float) and plain < 1e6 else f"`{plain}`"


def check_call(words: list[str], piece: str) -> None:
    """Follow the words of a call down the tree of commands; each command must have every option of the call."""
    command: Any = get_command(app)
    names = [word for word in words if re.fullmatch(r"[a-z]+", word)]
    while hasattr(command, "commands") and names:
        name = names.pop(0)
        assert name in command.commands, f"{name} in {piece!r}"
        command = command.commands[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= options, piece
