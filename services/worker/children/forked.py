"""A sandbox from its child's side: a fork of the child, made after its imports and before it has any secret."""

import os
import socket
import traceback
from pathlib import Path
from typing import Final, Literal

from services.worker.children import environment, sandbox
from services.worker.children.channel import Channel
from services.worker.children.errands import SAID, Preparation, Prepared
from services.worker.children.protocol import Setup
from services.worker.confinement.confine import Measure

FAILED: Final = 1  # exit code

SandboxName = Literal["closed", "open"]
"""Whether it has the network."""


class ForkedSandbox:
    """A sandbox that waits for its preparation. Its memory is shared with the child as long as neither changes it."""

    def __init__(self, name: SandboxName) -> None:
        self.name = name
        ours, theirs = socket.socketpair()
        child = os.getpid()
        self.process = os.fork()
        if self.process == 0:
            _serve(theirs, child)
        theirs.close()
        self.channel = Channel(ours)

    def begin(self, setup: Setup, folder: Path, inputs: Path, store: str) -> None:
        """Send the preparation. `folder` is created for what the sandbox writes."""
        folder.mkdir(mode=0o700)
        network = self.name == "open"
        self.channel.send(
            Preparation(
                setup=setup.for_sandbox(network),
                folder=str(folder),
                inputs=str(inputs),
                network=network,
                confined=setup.confined,
                environment=environment.proxies(setup.environment) if network else {},
                store=store,
            )
        )

    def prepared(self) -> tuple[Measure, ...]:
        """Wait until the sandbox is confined; return its measures."""
        said = SAID.validate_json(self.channel.receive().message)
        assert isinstance(said, Prepared)  # its first message, sent before it reads anything foreign
        return said.measures


def _serve(line: socket.socket, child: int) -> None:
    """Be the sandbox, until the child ends. Never returns."""
    code = 0
    try:
        sandbox.serve(Channel(line), child)
    except BaseException:  # noqa: BLE001 - nothing of the child's own code may run here
        traceback.print_exc()
        code = FAILED
    os._exit(code)
