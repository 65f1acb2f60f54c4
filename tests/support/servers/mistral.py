"""Mistral's wire format, served locally: files, OCR with pictures, chat, vision, transcription, embeddings.

It answers deterministically from what it is sent. `then(path, reply, …)` sets other answers to the next requests to
a path, in turn; after those it answers as before.
"""

import base64
import json
import re
import zlib
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from services.worker.pages.mupdf import pymupdf
from tests.support.servers.web_server import Reply, Request, WebServer, json_reply

KEY = "mistral-key"
OCR, FILES, CHAT, AUDIO = "/v1/ocr", "/v1/files", "/v1/chat/completions", "/v1/audio/transcriptions"
EMBEDDINGS = "/v1/embeddings"
DIMENSIONS = 1024
Json = dict[str, Any]


def refused(status: int, message: str = "no", **headers: str) -> Reply:
    """An error answer as Mistral writes them: `refused(429, Retry_After="1")`."""
    document = {"object": "error", "message": message, "type": "error", "code": str(status)}
    return json_reply(document, status, **headers)


def slow(delay_s: float) -> Reply:
    """An answer that comes late, and then is an error."""
    return Reply(503, body=b"late", delay_s=delay_s)


def malformed() -> Reply:
    """A 200 that is JSON, but not the promised document."""
    return json_reply({"pages": "none"})


def not_json() -> Reply:
    """A 200 with a JSON content type and another body."""
    return Reply(200, {"Content-Type": "application/json"}, b"<html>")


def completion(text: str) -> Reply:
    """A chat answer with these words."""
    return json_reply(_chat_document(text))


class MistralServer:
    """A context manager; `url` and `KEY` are what a worker is configured with.

    `fields` are the values that a JSON-mode chat fills in by name; others get `the NAME`. `words` makes the answer of
    a chat in words, of (system, user); `speech` is the transcript of every audio file.
    """

    def __init__(self) -> None:
        self.fields: Json = {}
        self.words: Callable[[str, str], str] = lambda system, user: f"Answer to: {user}"
        self.speech = "These words were spoken."
        self.files: dict[str, tuple[str, bytes]] = {}
        self._queued: dict[str, deque[Reply]] = defaultdict(deque)
        self._server = WebServer(self._answer)

    def __enter__(self) -> "MistralServer":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a worker that uses this server."""
        return {"PIPEROLL_MISTRAL_URL": self.url, "MISTRAL_API_KEY": KEY}

    def requests(self, path: str, method: str = "POST") -> list[Request]:
        return [one for one in self._server.requests if (one.path, one.method) == (path, method)]

    def then(self, path: str, *replies: Reply) -> None:
        """Answers the next requests to `path` with these, in turn."""
        self._queued[path].extend(replies)

    def forget(self, path: str) -> None:
        """Takes back the answers that `then` set and that were not given."""
        self._queued[path].clear()

    # --- the API --------------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return refused(401, "Unauthorized")
        if queued := self._queued[request.path]:
            return queued.popleft()
        if request.method == "DELETE":
            return self._delete(request)
        routes = {
            OCR: self._ocr,
            FILES: self._upload,
            CHAT: self._complete,
            AUDIO: self._transcribe,
            EMBEDDINGS: self._embed,
        }
        return routes[request.path](request) if request.path in routes else refused(404, "no such route")

    def _upload(self, request: Request) -> Reply:
        name, content = request.parts["file"]
        file_id = f"file-{len(self._server.requests):04d}"
        self.files[file_id] = (name, content)
        return json_reply(
            {
                "id": file_id,
                "object": "file",
                "bytes": len(content),
                "created_at": 1_700_000_000,
                "filename": name,
                "purpose": request.parts["purpose"][1].decode(),
                "sample_type": "ocr_input",
                "source": "upload",
            }
        )

    def _delete(self, request: Request) -> Reply:
        file_id = request.path.rpartition("/")[2]
        if self.files.pop(file_id, None) is None:
            return refused(404, "no such file")
        return json_reply({"id": file_id, "object": "file", "deleted": True})

    def _ocr(self, request: Request) -> Reply:
        asked = request.json
        if asked["document"]["file_id"] not in self.files:
            return refused(404, "no such file")
        _, content = self.files[asked["document"]["file_id"]]
        pictures = bool(asked.get("include_image_base64"))
        with pymupdf.open(stream=content) as document:
            wanted = asked.get("pages") or range(document.page_count)
            pages = [_page(document, index, pictures) for index in wanted if index < document.page_count]
        usage = {"pages_processed": len(pages), "doc_size_bytes": len(content)}
        return json_reply({"pages": pages, "model": asked["model"], "usage_info": usage, "document_annotation": None})

    def _complete(self, request: Request) -> Reply:
        asked = request.json
        if asked.get("response_format") == {"type": "json_object"}:
            return completion(json.dumps({name: self.fields.get(name, f"the {name}") for name in _asked_fields(asked)}))
        content = asked["messages"][-1]["content"]
        if isinstance(content, list):
            images = sum(part["type"] == "image_url" for part in content)
            return completion(f"Text seen in {images} image{'s' if images != 1 else ''}")
        return completion(self.words(_system(asked), content))

    def _transcribe(self, request: Request) -> Reply:
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "prompt_audio_seconds": 1}
        model = request.parts["model"][1].decode()
        segment = {"type": "transcription_segment", "text": f" {self.speech}", "start": 0.0, "end": 1.0}
        segments = [segment] if "timestamp_granularities" in request.parts else []
        document = {"model": model, "text": self.speech, "language": None, "segments": segments, "usage": usage}
        return json_reply(document)

    def _embed(self, request: Request) -> Reply:
        asked = request.json
        data = [
            {"object": "embedding", "index": index, "embedding": embedding_of(text)}
            for index, text in enumerate(asked["input"])
        ]
        usage = {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}
        return json_reply({"id": "e-1", "object": "list", "model": asked["model"], "data": data, "usage": usage})


def embedding_of(text: str) -> list[float]:
    """The vector that the server gives a text: texts that share words are near to each other."""
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()) or [text]:
        vector[zlib.crc32(word.encode()) % DIMENSIONS] += 3.0
    return vector


def _chat_document(text: str) -> Json:
    message = {"role": "assistant", "content": text, "tool_calls": None}
    return {
        "id": "chat-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "chat",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _system(asked: Json) -> str:
    return "".join(message["content"] for message in asked["messages"] if message["role"] == "system")


def _asked_fields(asked: Json) -> list[str]:
    """The names in the last JSON object of the prompt, which is how fields are asked for."""
    user = asked["messages"][-1]["content"]
    found = re.findall(r"^\{.*?^\}", user, flags=re.MULTILINE | re.DOTALL)
    return list(json.loads(found[-1])) if found else []


def _page(document: Any, index: int, pictures: bool) -> Json:
    """A page's own text as Markdown, with a heading and one picture: the page in small."""
    page = document[index]
    encoded = base64.b64encode(page.get_pixmap(dpi=20).tobytes("jpeg")).decode()
    image: Json = {
        "id": f"img-{index}.jpeg",
        "top_left_x": 10,
        "top_left_y": 20,
        "bottom_right_x": 110,
        "bottom_right_y": 220,
        "image_base64": f"data:image/jpeg;base64,{encoded}" if pictures else None,
    }
    text = page.get_text().strip()
    return {
        "index": index,
        "markdown": f"# Page {index + 1}\n\n{text}\n\n![img-{index}.jpeg](img-{index}.jpeg)",
        "images": [image],
        "dimensions": {"dpi": 200, "height": round(page.rect.height), "width": round(page.rect.width)},
    }
