"""The import arrows: `schemas` <- `piperoll.domain` <- `piperoll` <- `services.X`. Read from the code itself."""

import ast
from pathlib import Path

import pytest

from tests.support.source import FILES, SERVICES, imports, module_of, parsed

STANDARD = [
    "array",
    "base64",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "sys",
    "typing",
    "unicodedata",
]
PURE = frozenset([*STANDARD, "pydantic", "pydantic_core"])
"""What the pure core may import beside the product: no I/O, no clock, no event loop, no randomness."""
CONTRACT = PURE | frozenset(["abc", "idna", "json", "string", "urllib", "uuid"])
TOOLS = frozenset(["schemas.generate"])
"""Not part of the contract, but the command that writes it down for others."""
STARTERS = (
    "piperoll.cli",
    "piperoll.embedded",
    "services.worker.children.process",
    "services.worker.children.environment",
)
"""What starts processes has to hand its own environment on to them."""


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def files_in(*packages: str) -> list[Path]:
    return [file for file in FILES if within(module_of(file), *packages)]


def breaches(files: list[Path], *forbidden: str) -> list[str]:
    return [
        f"{module_of(file)} imports {name}"
        for file in files
        for name in sorted(imports(file))
        if within(name, *forbidden)
    ]


def test_there_is_something_to_check() -> None:
    assert SERVICES == ["api", "notifier", "projector", "worker"]
    assert {module_of(file).split(".")[0] for file in FILES} == {"schemas", "piperoll", "services"}


def test_the_contract_imports_nothing_of_ours() -> None:
    assert breaches(files_in("schemas"), "piperoll", "services", "tests", "bench") == []


def test_the_kernel_imports_no_service() -> None:
    outer = ("piperoll.cli", "piperoll.embedded", "piperoll.__main__")
    kernel = [file for file in files_in("piperoll") if not within(module_of(file), *outer)]
    assert breaches(kernel, "services", "tests", "bench", "piperoll.cli", "piperoll.embedded") == []


def test_the_supervisor_starts_services_by_name_and_imports_none() -> None:
    assert breaches(files_in("piperoll.embedded"), "services", "tests", "piperoll.cli") == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_no_other_service(service: str) -> None:
    others = [f"services.{other}" for other in SERVICES if other != service]
    forbidden = (*others, "tests", "bench", "piperoll.cli", "piperoll.embedded")
    assert breaches(files_in(f"services.{service}"), *forbidden) == []


@pytest.mark.parametrize("file", files_in("piperoll.domain"), ids=module_of)
def test_the_pure_core_imports_only_the_contract_and_what_does_no_io(file: Path) -> None:
    foreign = [name for name in imports(file) if not within(name, "schemas", "piperoll.domain", *PURE)]
    assert foreign == []


@pytest.mark.parametrize("file", [f for f in files_in("schemas") if module_of(f) not in TOOLS], ids=module_of)
def test_the_contract_imports_only_pydantic_and_what_does_no_io(file: Path) -> None:
    assert [name for name in imports(file) if not within(name, "schemas", *CONTRACT)] == []


def test_the_pure_core_reads_no_clock() -> None:
    for file in files_in("piperoll.domain", "schemas"):
        text = file.read_text(encoding="utf-8")
        assert "datetime.now" not in text, module_of(file)
        assert "utcnow" not in text, module_of(file)


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_the_environment_is_read_in_the_settings_and_by_what_starts_processes(file: Path) -> None:
    if within(module_of(file), "piperoll.settings", *STARTERS):
        return
    reads = [
        node
        for node in ast.walk(parsed(file))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {a.name for a in node.names} & {"environ", "getenv"}
        )
    ]
    assert reads == [], f"{module_of(file)} line {reads[0].lineno} reads the environment"


def test_no_sql_stands_in_python() -> None:
    """Statements live in `.sql` files; what the kernel itself sends to Postgres is a lock and a new database."""
    verbs = ("SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "CREATE TABLE")
    found = [
        f"{module_of(file)}:{node.lineno}"
        for file in files_in("services")
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(verbs)
    ]
    assert found == []
