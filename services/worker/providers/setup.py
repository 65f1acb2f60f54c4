"""The configuration of providers that a worker passes to its children. Contains keys: never printed or logged."""

from pydantic import BaseModel, ConfigDict, Field

from piperoll.settings import Settings

KEYLESS = "none"  # the SDK requires a key even for a server that needs none


class ProviderSetup(BaseModel):
    """URLs, keys, models and the timeout. The default has no provider."""

    model_config = ConfigDict(frozen=True)

    mistral_key: str = Field(default="", repr=False)
    mistral_url: str = ""
    ocr_model: str = "mistral-ocr-latest"
    chat_model: str = "mistral-medium-latest"
    vision_model: str = "mistral-medium-latest"
    transcription_model: str = "voxtral-mini-latest"
    chat_url: str = Field(default="", description="OpenAI-compatible, for chat and vision; empty: Mistral's")
    chat_key: str = Field(default="", repr=False)
    timeout_s: float = 300.0

    @classmethod
    def of(cls, settings: Settings) -> "ProviderSetup":
        """Read the setup from the settings."""
        return cls(
            mistral_key=settings.mistral_api_key.get_secret_value().strip(),
            mistral_url=settings.mistral_url,
            ocr_model=settings.mistral_model,
            chat_model=settings.chat_model,
            vision_model=settings.vision_model,
            transcription_model=settings.transcription_model,
            chat_url=settings.chat_url,
            chat_key=settings.chat_api_key.get_secret_value().strip(),
            timeout_s=settings.provider_timeout_s,
        )

    def for_chat(self) -> "ProviderSetup":
        """Return the setup for the OpenAI-compatible URL; without `/v1`, which the SDK appends."""
        url = self.chat_url.rstrip("/").removesuffix("/v1")
        return self.model_copy(update={"mistral_url": url, "mistral_key": self.chat_key or KEYLESS})
