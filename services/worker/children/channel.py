"""The line between a child and one of its sandboxes: messages with a payload of bytes and an open file, if any.

A message is a JSON object behind the lengths of object and payload and whether there is a file. The child does not
trust a sandbox: it bounds what it reads, and gets an open file in place of a path.
"""

import array
import os
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

HEAD: Final = struct.Struct("!IQ?")
MOST_FILES: Final = 8  # that wait for their message
PIECE_BYTES: Final = 64 * 1024
LONGEST_MESSAGE: Final = 64 * 1024 * 1024
LONGEST_PAYLOAD: Final = 4 * 1024**3
ONE_FILE: Final = socket.CMSG_SPACE(array.array("i").itemsize)
CLOSED: Final = (BrokenPipeError, ConnectionResetError)
"""What the kernel reports once the other end is closed; the second if that had not read all messages."""
ENDED: Final = "the process at the other end has ended"


class ChannelClosedError(ConnectionError):
    """The other side closed the line: its process has ended."""


@dataclass(slots=True)
class Received:
    """A message as it was sent; `file` must be taken or closed."""

    message: bytes
    payload: bytes
    file: int | None = None

    def close(self) -> None:
        """Close the file, if there is one."""
        if self.file is not None:
            os.close(self.file)
            self.file = None


class Channel:
    """One end of a line. Blocking. Threads may send and ask at the same time."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._lock = threading.RLock()
        self._buffer = memoryview(bytearray(PIECE_BYTES))  # a new one for each piece would be new pages each time
        self._rest = b""
        self._files: list[int] = []

    @property
    def descriptor(self) -> int:
        """The descriptor of the line."""
        return self._line.fileno()

    def send(self, message: BaseModel, payload: bytes = b"", file: int | None = None) -> None:
        """Send a message. Raises ChannelClosedError."""
        body = message.model_dump_json().encode()
        data = HEAD.pack(len(body), len(payload), file is not None) + body
        if len(payload) <= PIECE_BYTES:
            data, payload = data + payload, b""
        with self._lock:
            try:
                if file is not None:
                    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))
                    data = data[self._line.sendmsg([data], [rights]) :]
                self._line.sendall(data)
                if payload:
                    self._line.sendall(payload)
            except CLOSED as error:
                raise ChannelClosedError(ENDED) from error

    def ask(self, message: BaseModel, payload: bytes = b"", file: int | None = None) -> Received:
        """Send a message and return the answer. Raises as `send` and `receive`."""
        with self._lock:
            self.send(message, payload, file)
            return self.receive()

    def receive(self, takes_files: bool = False) -> Received:
        """Return the next message. Raises ChannelClosedError; ValueError for one that is too long."""
        message_bytes, payload_bytes, has_file = HEAD.unpack(self._exactly(HEAD.size, takes_files))
        if message_bytes > LONGEST_MESSAGE or payload_bytes > LONGEST_PAYLOAD:
            raise ValueError("a message of a sandbox is too long")
        message = self._exactly(message_bytes, takes_files)
        payload = self._exactly(payload_bytes, takes_files)
        # One read may bring the end of a message and the beginning of the next one, with its file.
        return Received(message, payload, self._files.pop(0) if has_file and self._files else None)

    def _exactly(self, count: int, takes_files: bool) -> bytes:
        if len(self._rest) >= count:
            taken, self._rest = self._rest[:count], self._rest[count:]
            return taken
        pieces, missing = [self._rest], count - len(self._rest)
        self._rest = b""
        while missing > 0:
            piece = self._piece(takes_files)
            pieces.append(piece)
            missing -= len(piece)
        joined = b"".join(pieces)
        self._rest = joined[count:]
        return joined[:count] if self._rest else joined

    def _piece(self, takes_files: bool) -> bytes:
        ancillary: Sequence[tuple[int, int, bytes]] = ()
        try:
            if not takes_files:
                count = self._line.recv_into(self._buffer)
            else:
                count, ancillary, _, _ = self._line.recvmsg_into([self._buffer], ONE_FILE, socket.MSG_CMSG_CLOEXEC)
        except CLOSED as error:
            raise ChannelClosedError(ENDED) from error
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                whole = len(content) - len(content) % array.array("i").itemsize
                self._files.extend(array.array("i", content[:whole]))
        if len(self._files) > MOST_FILES:
            raise ValueError("a sandbox sent files without a message")
        if not count:
            raise ChannelClosedError(ENDED)
        return bytes(self._buffer[:count])
