"""The documents and the code are written in plain technical English."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.support.repository import ROOT, documents

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
