"""Base backups of the stack's Postgres."""

import asyncio
import os
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from piperoll.embedded.account import postgres_account
from piperoll.embedded.postgres import binaries
from piperoll.embedded.stack import Stack


class Backup:
    """The newest base backup of one stack's Postgres, in `folder`."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._taken_at = 0.0

    @property
    def age_s(self) -> float:
        """Seconds since it was taken."""
        return time.monotonic() - self._taken_at

    async def take(self) -> None:
        """Replace the backup by one of now. Postgres must answer."""
        await asyncio.to_thread(self._copy_live)
        self._taken_at = time.monotonic()

    async def restore(self) -> None:
        """Stop Postgres, put the backup in the place of its data, and start it."""
        await self._stack.stop_postgres()
        try:
            await asyncio.to_thread(self._put_back)
        finally:
            await self._stack.start_postgres()

    def _copy_live(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        server = urlsplit(self._stack.postgres.dsn())
        command = [
            str(binaries() / "pg_basebackup"),
            f"--pgdata={self._folder}",
            f"--host={server.hostname}",
            f"--port={server.port}",
            f"--username={server.username}",
            "--checkpoint=fast",
            "--wal-method=stream",
        ]
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C", "PGPASSWORD": server.password or ""}
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)

    def _put_back(self) -> None:
        data = self._stack.data_dir / "postgres" / "data"
        shutil.rmtree(data)
        shutil.copytree(self._folder, data, symlinks=True)
        if (account := postgres_account()) is not None:
            for path in (data, *data.rglob("*")):
                os.chown(path, account.uid, account.gid, follow_symlinks=False)
