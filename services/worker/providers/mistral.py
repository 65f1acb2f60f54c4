"""The Mistral API through its own SDK: files, OCR, chat, vision, transcription. No template and no page lives here.

One attempt a call: whether another follows is the job's business, which waits without holding a process. The SDK is
imported when the first call is made, since it takes a second and most workers never need it.
"""

import base64
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from piperoll.clock import utc_now
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.providers import failures
from services.worker.providers.answers import (
    MalformedAnswerError,
    OcrAnswer,
    OcrReport,
    Spoken,
    SpokenSegment,
    read_ocr,
)
from services.worker.providers.setup import ProviderSetup

if TYPE_CHECKING:
    from ssl import SSLContext

    from mistralai.client import Mistral as Sdk

CONNECT_TIMEOUT_S = 10.0
JSON_TRIES = 2  # contract 9: one retry, then JSON_PARSE_ERROR
Message = dict[str, Any]


class Mistral:
    """A client of one server with one key. The calls raise what `services.worker.providers.Providers` says."""

    def __init__(self, setup: ProviderSetup) -> None:
        self._setup = setup

    def ocr(
        self, source: Path | bytes, name: str, pages: Sequence[int] | None = None, report: OcrReport | None = None
    ) -> OcrAnswer:
        """Uploads the document, has it read, and deletes it there again (contract 12)."""
        tell = report or _silently
        with self._calling(ErrorCode.OCR_PROVIDER_UNAVAILABLE) as sdk:
            tell(10, "Sending the document to the OCR provider")
            file_id = _upload(sdk, source, name)
            tell(30, "Document sent")
            try:
                tell(60, "Waiting for the OCR provider")
                raw = self._read(sdk, file_id, pages)
            finally:
                notes = self._forget(file_id)
            tell(75, "OCR answer received")
            answer = read_ocr(raw, notes)
            tell(85, "OCR answer read")
            return answer

    def vision(self, images: Sequence[bytes], prompt: str) -> str:
        """What the vision model says about JPEG images."""
        parts: list[dict[str, Any]] = [{"type": "text", "text": prompt}]
        parts += [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in images]
        with self._calling(ErrorCode.OCR_PROVIDER_UNAVAILABLE) as sdk:
            return _complete(sdk, self._setup.vision_model, [{"role": "user", "content": parts}])

    def chat(self, system: str, user: str, model: str | None = None) -> str:
        """The chat model's answer in words."""
        with self._calling(ErrorCode.TEMPLATE_TRANSFORMATION_ERROR) as sdk:
            return _complete(sdk, model or self._setup.chat_model, _dialogue(system, user))

    def chat_json(self, system: str, user: str, model: str | None = None) -> dict[str, Any]:
        """The chat model's answer in JSON mode."""
        with self._calling(ErrorCode.TEMPLATE_TRANSFORMATION_ERROR) as sdk:
            for _ in range(JSON_TRIES):
                text = _complete(sdk, model or self._setup.chat_model, _dialogue(system, user), json_mode=True)
                if (document := _object(text)) is not None:
                    return document
        raise ProcessingError(
            ErrorCode.JSON_PARSE_ERROR,
            f"The language model was asked {JSON_TRIES} times for a JSON object and answered something else.",
        )

    def transcribe(self, path: Path, language: str | None = None) -> Spoken:
        """The words spoken in an audio file. The API takes a language or tells segments, not both."""
        from mistralai.client.types import UNSET

        with self._calling(ErrorCode.OCR_PROVIDER_UNAVAILABLE) as sdk, path.open("rb") as audio:
            answer = sdk.audio.transcriptions.complete(
                model=self._setup.transcription_model,
                file={"file_name": path.name, "content": audio},
                language=language or UNSET,
                timestamp_granularities=None if language else ["segment"],
            )
        segments = tuple(
            SpokenSegment(start=one.start, end=one.end, text=one.text.strip())
            for one in answer.segments or ()
            if one.start is not None and one.end is not None
        )
        return Spoken(answer.text, answer.model, answer.language or language, segments)

    def _read(self, sdk: "Sdk", file_id: str, pages: Sequence[int] | None) -> dict[str, Any]:
        answer = sdk.ocr.process(
            model=self._setup.ocr_model,
            document={"type": "file", "file_id": file_id},
            pages=list(pages) if pages is not None else None,
            include_image_base64=True,
            include_blocks=False,
        )
        return answer.model_dump(mode="json")

    def _forget(self, file_id: str) -> tuple[str, ...]:
        """Deletes the uploaded document. That it stays there fails no job, but is told."""
        try:
            with self._calling(ErrorCode.OCR_PROVIDER_UNAVAILABLE) as sdk:
                sdk.files.delete(file_id=file_id)
        except ProcessingError as error:
            return (f"The document that was sent for OCR could not be deleted there: {error.message}",)
        return ()

    @cached_property
    def _tls(self) -> "SSLContext":
        import httpx2

        return httpx2.create_ssl_context()

    @contextmanager
    def _calling(self, unavailable: ErrorCode) -> Iterator["Sdk"]:
        """The SDK with a connection of its own, since a child may wait long for its next job; its errors as ours."""
        import httpx2
        from mistralai.client import Mistral as Sdk
        from mistralai.client import errors

        setup = self._setup
        timeout = httpx2.Timeout(setup.timeout_s, connect=CONNECT_TIMEOUT_S)
        try:
            with httpx2.Client(timeout=timeout, verify=self._tls) as client:
                yield Sdk(
                    api_key=setup.mistral_key,
                    server_url=setup.mistral_url,
                    client=client,
                    async_client=httpx2.AsyncClient(verify=self._tls),  # unused; its own would read all certificates
                    timeout_ms=round(setup.timeout_s * 1000),
                )
        except (errors.ResponseValidationError, MalformedAnswerError) as error:
            what = str(error) if isinstance(error, MalformedAnswerError) else "it is not the JSON that was promised"
            raise failures.malformed(what) from error
        except errors.MistralError as error:
            raise failures.refused(error.status_code, error.body, error.headers, unavailable, utc_now()) from error
        except httpx2.TimeoutException as error:
            raise failures.too_slow(setup.timeout_s) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, errors.NoResponseError) as error:
            raise failures.unreachable(setup.mistral_url, error) from error


def _upload(sdk: "Sdk", source: Path | bytes, name: str) -> str:
    with ExitStack() as stack:
        content = source if isinstance(source, bytes) else stack.enter_context(source.open("rb"))
        return sdk.files.upload(file={"file_name": name, "content": content}, purpose="ocr").id


def _complete(sdk: "Sdk", model: str, messages: list[Message], json_mode: bool = False) -> str:
    answer = sdk.chat.complete(
        model=model,
        messages=messages,  # type: ignore[arg-type]
        temperature=0.0,
        response_format={"type": "json_object"} if json_mode else None,
    )
    if not answer.choices or answer.choices[0].message is None:
        raise MalformedAnswerError("it holds no message")
    return _text(answer.choices[0].message.content)


def _object(text: str) -> dict[str, Any] | None:
    try:
        document = from_json(text, allow_inf_nan=False)  # stricter than json.loads: neither NaN nor half a character
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _silently(percent: int, message: str) -> None:
    """A report that nobody listens to."""


def _dialogue(system: str, user: str) -> list[Message]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def _data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _text(content: Any) -> str:
    """An answer's content is one text, or a list of parts of which the text ones count."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part.text for part in content if part.type == "text")
    raise MalformedAnswerError("its message holds no text")
