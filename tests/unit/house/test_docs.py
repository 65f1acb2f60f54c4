"""The documents match the code: every path, command and setting that they name exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.main import get_command

from piperoll.cli.main import app
from piperoll.settings import ClientSettings, Settings
from schemas.job_types.pdf import PdfParameters
from schemas.job_types.registry import OWN
from services.api import assembly
from services.api.http.routing import Routes
from tests.support.repository import DOCUMENTS, FOLDERS, ROOT, anchors, documents, text

NAMING_COMMANDS = [*DOCUMENTS, ROOT / "Makefile", ROOT / "deploy/compose.yaml"]

COMPUTED = {"PIPEROLL_INSTANCE", "PIPEROLL_SLOTS"}
"""Settings whose default depends on the machine."""


def code(document: Path) -> Iterator[str]:
    """Every piece of code in a document: inline ones, and the lines of fenced blocks with continued lines joined."""
    content = document.read_text(encoding="utf-8")
    for block in re.findall(r"^```(?:sh)?\n(.*?)^```", content, flags=re.MULTILINE | re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", content, flags=re.MULTILINE | re.DOTALL))


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
    known.add("PIPEROLL_SIMULATION_SEEDS")  # of the tests
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
    names = [word for word in words if re.fullmatch(r"[a-z]+(-[a-z]+)*", word)]
    while hasattr(command, "commands") and names:
        name = names.pop(0)
        assert name in command.commands, f"{name} in {piece!r}"
        command = command.commands[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= options, piece


@pytest.mark.parametrize("job_type", sorted(set(OWN.requestable) - {"noop"}))
def test_the_page_of_the_api_names_every_parameter_of_a_job_type(job_type: str) -> None:
    named = set(code(ROOT / "docs/api.md"))
    fields = OWN.of(job_type).parameters.model_fields.items()
    assert {field.alias or name for name, field in fields} <= named


def test_the_page_of_the_api_names_every_extraction_method() -> None:
    assert set(PdfParameters.SUPPORTED["extraction_method"]) <= set(code(ROOT / "docs/api.md"))
