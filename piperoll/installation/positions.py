"""Stored positions of any store, compared with the log."""

from collections.abc import Mapping

from piperoll.log.continuity import StoredPosition, divergences
from piperoll.log.contract import LogView
from schemas.topics import MANIFEST

Positions = dict[str, dict[int, StoredPosition]]
"""By the name of the topic, and by partition."""


async def foreign(
    view: LogView, cluster_id: str, positions: Mapping[str, Mapping[int, StoredPosition]]
) -> dict[tuple[str, int], str]:
    """Return why positions are not of this log, by topic and partition; empty if all are."""
    found = {}
    for topic in MANIFEST:
        if not (stored := positions.get(topic.name)):
            continue
        existing = await view.end_offsets(topic)
        known = {part: one for part, one in stored.items() if part in existing}
        found.update({(topic.name, part): "the log has no such partition" for part in stored.keys() - known.keys()})
        for part, why in (await divergences(view, topic, known, cluster_id)).items():
            found[topic.name, part] = why
    return found
