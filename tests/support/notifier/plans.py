"""Statements of the notifier and their plans."""

import json


async def explain(connection: object, statement: str, *arguments: object) -> dict[str, object]:
    """The plan of a statement as it ran."""
    text = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *arguments)  # type: ignore[attr-defined]
    return json.loads(text)[0]["Plan"]  # type: ignore[no-any-return]


def nodes(plan: dict[str, object]) -> list[dict[str, object]]:
    """All nodes of a plan."""
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]  # type: ignore[attr-defined]
