"""External providers: OCR, vision, chat, transcription, embedding. Processors use `workspace.providers`."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from piperoll.embeddings import Embedder
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.providers.answers import OcrAnswer, OcrReport, SpeechSegment, Transcription
from services.worker.providers.embedding import Embeddings
from services.worker.providers.mistral import Mistral
from services.worker.providers.setup import ProviderSetup

__all__ = ["OcrAnswer", "OcrReport", "ProviderSetup", "Providers", "SpeechSegment", "Transcription"]


class Providers:
    """The configured providers. Their libraries are imported at the first call.

    Every call raises ProcessingError: not retryable without a key or for a rejected key; retryable for a provider that
    is busy, fails or is unreachable (`providers.failures`).
    """

    def __init__(self, setup: ProviderSetup | None = None) -> None:
        self._setup = setup or ProviderSetup()

    @property
    def has_ocr(self) -> bool:
        """Whether OCR and transcription are configured."""
        return bool(self._setup.mistral_key)

    @property
    def has_chat(self) -> bool:
        """Whether a chat model is configured: Mistral's, or the one at the OpenAI-compatible URL."""
        return bool(self._setup.chat_url or self._setup.mistral_key)

    @property
    def chat_model(self) -> str:
        """The chat model for jobs that name none."""
        return self._setup.chat_model

    @property
    def ocr_model(self) -> str:
        """The OCR model."""
        return self._setup.ocr_model

    @property
    def vision_model(self) -> str:
        """The vision model."""
        return self._setup.vision_model

    @property
    def transcription_model(self) -> str:
        """The transcription model."""
        return self._setup.transcription_model

    def ocr(
        self, source: Path | bytes, name: str, pages: Sequence[int] | None = None, report: OcrReport | None = None
    ) -> OcrAnswer:
        """Run OCR on a document (docs/contract/secretary.md#mistral). `pages` count from 0; None for all pages.

        Raises ProcessingError: OCR_PROVIDER_UNAVAILABLE, RATE_LIMITED, PROVIDER_ERROR, PROCESSING_ERROR.
        """
        return self._mistral.ocr(source, name, pages, report)

    def vision(self, images: Sequence[bytes], prompt: str) -> str:
        """Return a vision model's answer to `prompt` about JPEG images. Codes as for `ocr`."""
        return self._chat(ErrorCode.OCR_PROVIDER_UNAVAILABLE).vision(images, prompt)

    def transcribe(self, path: Path, language: str | None = None) -> Transcription:
        """Transcribe an audio file; there are segments only without `language` (such as `de`). Codes as for `ocr`."""
        return self._mistral.transcribe(path, language)

    def embedder(self, model: str | None) -> Embedder:
        """Return the embedder of a model, or of the default one. Raises ProcessingError EMBEDDING_UNAVAILABLE."""
        return Embeddings(model, self._setup)

    def chat(self, system: str, user: str, model: str | None = None) -> str:
        """Return a chat model's answer as text.

        Raises ProcessingError: TEMPLATE_TRANSFORMATION_ERROR without a valid key, RATE_LIMITED, PROVIDER_ERROR,
        PROCESSING_ERROR.
        """
        return self._chat(ErrorCode.TEMPLATE_TRANSFORMATION_ERROR).chat(system, user, model)

    def chat_json(self, system: str, user: str, model: str | None = None) -> dict[str, Any]:
        """Return a chat model's answer as a JSON object; at most two tries. Raises as `chat`, and JSON_PARSE_ERROR."""
        return self._chat(ErrorCode.TEMPLATE_TRANSFORMATION_ERROR).chat_json(system, user, model)

    @cached_property
    def _at_mistral(self) -> Mistral:
        return Mistral(self._setup)

    @property
    def _mistral(self) -> Mistral:
        if not self.has_ocr:
            raise _no_key(ErrorCode.OCR_PROVIDER_UNAVAILABLE)
        return self._at_mistral

    @cached_property
    def _at_chat_url(self) -> Mistral:
        return Mistral(self._setup.for_chat())

    def _chat(self, code: ErrorCode) -> Mistral:
        if not self.has_chat:
            raise _no_key(code)
        return self._at_chat_url if self._setup.chat_url else self._at_mistral


def _no_key(code: ErrorCode) -> ProcessingError:
    return ProcessingError(
        code, "No provider is configured for this: set MISTRAL_API_KEY for the worker.", error_type="NoProviderKey"
    )
