"""The Mistral API through Mistral's SDK: files, OCR, chat, vision, transcription.

No retries: a job's retry waits without holding a process. The SDK is imported at the first call, since the import takes
a second and most workers do not need it.
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
    SpeechSegment,
    Transcription,
    read_ocr,
)
from services.worker.providers.setup import ProviderSetup

if TYPE_CHECKING:
    from ssl import SSLContext

    from mistralai.client import Mistral as Sdk

CONNECT_TIMEOUT_S = 10.0
JSON_TRIES = 2  # docs/contract/secretary.md#templates: one retry, then JSON_PARSE_ERROR
Message = dict[str, Any]


class Mistral:
    """A client of one server with one key. For errors see `services.worker.providers.Providers`."""

    def __init__(self, setup: ProviderSetup) -> None:
        self._setup = setup

    def ocr(
        self, source: Path | bytes, name: str, pages: Sequence[int] | None = None, report: OcrReport | None = None
    ) -> OcrAnswer:
        """Upload the document, run OCR on it, and delete the upload (docs/contract/secretary.md#mistral)."""
        report = report or _no_report
        with self._calling(ErrorCode.OCR_PROVIDER_UNAVAILABLE) as sdk:
            report(10, "Sending the document to the OCR provider")
            file_id = _upload(sdk, source, name)
            report(30, "Document sent")
            try:
                report(60, "Waiting for the OCR provider")
                raw = self._read(sdk, file_id, pages)
            finally:
                notes = self._delete_upload(file_id)
            report(75, "OCR answer received")
            answer = read_ocr(raw, notes)
            report(85, "OCR answer read")
            return answer

    def vision(self, images: Sequence[bytes], prompt: str) -> str:
        """Return the vision model's answer about JPEG images."""
        parts: list[dict[str, Any]] = [{"type": "text", "text": prompt}]
        parts += [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in images]
        with self._calling(ErrorCode.OCR_PROVIDER_UNAVAILABLE) as sdk:
            return _complete(sdk, self._setup.vision_model, [{"role": "user", "content": parts}])

    def chat(self, system: str, user: str, model: str | None = None) -> str:
        """Return the chat model's answer as text."""
        with self._calling(ErrorCode.TEMPLATE_TRANSFORMATION_ERROR) as sdk:
            return _complete(sdk, model or self._setup.chat_model, _dialogue(system, user))

    def chat_json(self, system: str, user: str, model: str | None = None) -> dict[str, Any]:
        """Return the chat model's answer in JSON mode."""
        with self._calling(ErrorCode.TEMPLATE_TRANSFORMATION_ERROR) as sdk:
            for _ in range(JSON_TRIES):
                text = _complete(sdk, model or self._setup.chat_model, _dialogue(system, user), json_mode=True)
                if (answer := _object(text)) is not None:
                    return answer
        raise ProcessingError(
            ErrorCode.JSON_PARSE_ERROR,
            f"The language model did not answer with a JSON object in {JSON_TRIES} tries.",
        )

    def transcribe(self, path: Path, language: str | None = None) -> Transcription:
        """Transcribe an audio file. The API takes a language or returns segments, not both."""
        from mistralai.client.types import UNSET

        with self._calling(ErrorCode.OCR_PROVIDER_UNAVAILABLE) as sdk, path.open("rb") as audio:
            answer = sdk.audio.transcriptions.complete(
                model=self._setup.transcription_model,
                file={"file_name": path.name, "content": audio},
                language=language or UNSET,
                timestamp_granularities=None if language else ["segment"],
            )
        segments = tuple(
            SpeechSegment(start=one.start, end=one.end, text=one.text.strip())
            for one in answer.segments or ()
            if one.start is not None and one.end is not None
        )
        return Transcription(answer.text, answer.model, answer.language or language, segments)

    def _read(self, sdk: "Sdk", file_id: str, pages: Sequence[int] | None) -> dict[str, Any]:
        answer = sdk.ocr.process(
            model=self._setup.ocr_model,
            document={"type": "file", "file_id": file_id},
            pages=list(pages) if pages is not None else None,
            include_image_base64=True,
            include_blocks=False,
        )
        return answer.model_dump(mode="json")

    def _delete_upload(self, file_id: str) -> tuple[str, ...]:
        """Delete the uploaded document. A failure does not fail the job; it is returned as a note."""
        try:
            with self._calling(ErrorCode.OCR_PROVIDER_UNAVAILABLE) as sdk:
                sdk.files.delete(file_id=file_id)
        except ProcessingError as error:
            return (f"The document could not be deleted at the OCR provider: {error.message}",)
        return ()

    @cached_property
    def _tls(self) -> "SSLContext":
        import httpx2

        return httpx2.create_ssl_context()

    @contextmanager
    def _calling(self, unavailable: ErrorCode) -> Iterator["Sdk"]:
        """Yield the SDK with a new connection, since jobs may be far apart; convert its errors to ProcessingError."""
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
                    async_client=httpx2.AsyncClient(verify=self._tls),  # unused; the default loads all certificates
                    timeout_ms=round(setup.timeout_s * 1000),
                )
        except (errors.ResponseValidationError, MalformedAnswerError) as error:
            what = str(error) if isinstance(error, MalformedAnswerError) else "it is not the expected JSON"
            raise failures.malformed(what) from error
        except errors.MistralError as error:
            raise failures.rejected(error.status_code, error.body, error.headers, unavailable, utc_now()) from error
        except httpx2.TimeoutException as error:
            raise failures.timed_out(setup.timeout_s) from error
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
        raise MalformedAnswerError("it contains no message")
    return _text(answer.choices[0].message.content)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = from_json(text, allow_inf_nan=False)  # stricter than json.loads: no NaN, no lone surrogates
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _no_report(percent: int, message: str) -> None:
    """Ignore progress."""


def _dialogue(system: str, user: str) -> list[Message]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def _data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _text(content: Any) -> str:
    """Return the text of an answer: its content is a string or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part.text for part in content if part.type == "text")
    raise MalformedAnswerError("its message contains no text")
