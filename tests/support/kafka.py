"""Members of consumer groups, for tests of the log on a real Kafka."""

from piperoll.settings import Settings
from tests.support.stacks.reading import Book


def nothing_read(settings: Settings) -> Book:
    return Book(dict.fromkeys(range(settings.partitions), 0))
