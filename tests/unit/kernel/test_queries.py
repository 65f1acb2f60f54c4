"""Files of SQL statements are read by name."""

import sys
from pathlib import Path

import pytest

from piperoll.postgres import load_queries

STATEMENTS = """\
-- first: a statement with a comment
-- The rows are locked in this
-- order: jobs, then counts.
SELECT 1;

-- second: another
SELECT 2;
"""


def test_a_comment_with_a_colon_is_part_of_its_statement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_statements"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "queries.sql").write_text(STATEMENTS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    queries = load_queries("some_statements", "queries.sql")
    sys.modules.pop("some_statements", None)
    assert list(queries) == ["first", "second"]
    assert queries["first"].endswith("SELECT 1")
    assert queries["second"] == "SELECT 2"
