"""A recorded data folder of an earlier state, laid down in a stack whose Kafka and Postgres are empty.

The log gets the recorded records, Postgres the tables as their statements made them then, and the blob store its texts.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from piperoll.embedded.files import private_folder, write_private
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.settings import Settings
from schemas.topics import MANIFEST
from tests.support.golden.histories import GOLDEN, Json, record_of

RECEIVER = "http://127.0.0.1:45991"
"""The webhook receiver of the recordings. One at a port of another length would move the ranges of segments."""

SEGMENT_CLAIM = re.compile(r'"uri": ?"(segments/[^"#]+)#(\d+)-(\d+)", ?"sha256": ?"(\w{64})"')


@dataclass(frozen=True)
class RecordedFolder:
    """The files of one state."""

    folder: Path

    @classmethod
    def of(cls, state: str) -> "RecordedFolder":
        """That of a date."""
        return cls(GOLDEN / "states" / state)

    def write_secrets(self, data_dir: Path) -> None:
        """Write what must exist before the stores start."""
        data_dir.mkdir(parents=True, exist_ok=True)
        write_private(private_folder(data_dir / "private") / "secrets.json", self._text("secrets.json"))

    async def lay_down(self, settings: Settings, data_dir: Path, receiver: str) -> None:
        """Fill the stores, with the webhooks of jobs leading to `receiver`, an origin."""
        offsets = KafkaOffsets(settings)
        await offsets.start()
        try:
            cluster_id = (await offsets.identity()).cluster_id
        finally:
            await offsets.stop()
        texts = {name: self._text(name) for name in ("blobs.json", "log.jsonl", "rows.json")}
        texts = {name: text.replace("{cluster_id}", cluster_id) for name, text in texts.items()}
        texts = _led_to(receiver, texts)
        for path, content in json.loads(texts["blobs.json"]).items():
            target = data_dir / "blobs" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        await _append(settings, [json.loads(line) for line in texts["log.jsonl"].splitlines()])
        await self._fill_tables(settings, json.loads(texts["rows.json"]))

    async def _fill_tables(self, settings: Settings, rows: dict[str, list[Json]]) -> None:
        connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
        try:
            await connection.execute(self._text("tables.sql"))
            for table, some in rows.items():
                statement = f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $1::json)"
                await connection.execute(statement, json.dumps(some))
        finally:
            await connection.close()

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


async def _append(settings: Settings, entries: list[Json]) -> None:
    """Append the records in order; each must be placed where it was, as checkpoints name offsets."""
    topics = {topic.name: topic for topic in MANIFEST}
    appender = KafkaAppender(settings, "recorded-folder")
    await appender.start()
    try:
        for entry in entries:
            record = record_of(entry, entry["offset"], entry["partition"])
            placed = await appender.append_raw(topics[record.topic], record.key, record.value, record.headers)
            assert placed == record.position, "the topics are not empty, or have another number of partitions"
    finally:
        await appender.stop()


def _led_to(receiver: str, texts: dict[str, str]) -> dict[str, str]:
    """The texts with another receiver; claims of the parameters that name it get the hashes of their new contents."""
    assert len(receiver) == len(RECEIVER), receiver
    texts = {name: text.replace(RECEIVER, receiver) for name, text in texts.items()}
    blobs: dict[str, str] = json.loads(texts["blobs.json"])
    for uri, begin, end, digest in set(SEGMENT_CLAIM.findall(texts["log.jsonl"])):
        content = blobs[uri].encode()[int(begin) : int(end)]
        now = hashlib.sha256(content).hexdigest()
        texts = {name: text.replace(digest, now) for name, text in texts.items()}
    return texts
