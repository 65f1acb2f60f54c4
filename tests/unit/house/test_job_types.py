"""What is known of a job type stands in its declaration: no other product code selects by a job type's name."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from schemas.job_types.registry import OWN
from tests.support.source import FILES, ROOT

NAMES = frozenset(OWN.requestable)
DECLARATIONS = ROOT / "schemas/job_types"

EXCEPTIONS: dict[str, tuple[set[str], str]] = {
    "piperoll/cli/demonstration.py": ({"pdf"}, "creates the job of the demonstration"),
    "piperoll/cli/remote/sources.py": ({"pdf"}, "the type that `piperoll submit` takes for PDFs"),
    "services/api/direct/routes.py": ({"pdf", "transformer"}, "endpoints that create one job of their type"),
    "services/api/folders/routes.py": ({"embedding"}, "the endpoint that creates the index of a folder"),
    "services/worker/processors/embedding.py": ({"embedding"}, "the name of a step"),
    "services/worker/processors/session/markdown.py": ({"session"}, "the name of a template's variable"),
}
"""By file: the names that stand there as literals, and why they may."""


def selecting(tree: ast.AST) -> Iterator[ast.expr]:
    """Every expression by which code may select: compared, in a collection, a key, a pattern, or an argument."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=comparators):
                yield from (left, *comparators)
            case ast.Set(elts=elements) | ast.List(elts=elements) | ast.Tuple(elts=elements):
                yield from elements
            case ast.Dict(keys=keys):
                yield from filter(None, keys)
            case ast.MatchValue(value=value):
                yield value
            case ast.Call(args=arguments, keywords=keywords):
                yield from arguments
                yield from (keyword.value for keyword in keywords if keyword.arg == "job_type")


def selected(file: Path) -> set[str]:
    """The names of job types by which a file may select."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = {node.value for node in selecting(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found & NAMES


@pytest.mark.parametrize(
    "code",
    ["a == 'pdf'", "a in ('pdf', 'x')", "{'pdf': 1}", "frozenset({'pdf'})", "f(job_type='pdf')", "f('pdf')"],
)
def test_a_selection_is_found(code: str) -> None:
    values = [node.value for node in selecting(ast.parse(code)) if isinstance(node, ast.Constant)]
    assert "pdf" in values


def test_no_product_code_but_the_declarations_selects_by_the_name_of_a_job_type() -> None:
    found = {
        str(file.relative_to(ROOT)): names
        for file in FILES
        if DECLARATIONS not in file.parents and (names := selected(file))
    }
    assert found == {name: names for name, (names, _) in EXCEPTIONS.items()}


@pytest.mark.parametrize("name", OWN.names)
def test_the_processor_of_every_job_type_is_where_its_declaration_leads(name: str) -> None:
    module, _, function = OWN.of(name).processor.partition(":")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("name", OWN.names)
def test_a_type_that_reads_documents_takes_a_document_alone(name: str) -> None:
    declared = OWN.of(name)
    if declared.reads:
        assert declared.named_by(declared.parameters.model_validate({"document_id": "d"})) == (declared.names, "d")
        assert declared.makes is not None
        assert declared.devana is not None
