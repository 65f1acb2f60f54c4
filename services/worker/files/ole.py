"""The streams of an OLE container (MS-CFB), by name."""

import olefile

from services.worker.run.memory import raise_if_memory


def top_streams(path: str) -> list[str]:
    """Return the names of the streams at the top of a container; none of a damaged one."""
    try:
        with olefile.OleFileIO(path) as container:
            return [names[0] for names in container.listdir() if len(names) == 1]
    except Exception as error:  # noqa: BLE001 - the library raises any error for a damaged file
        raise_if_memory(error)
        return []
