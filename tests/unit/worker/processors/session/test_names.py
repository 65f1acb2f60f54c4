"""Names in the target language: each asked for once, and kept as they are without a provider."""

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.processors.session.names import Translator


class Dictionary:
    """A chat partner who knows some words, and has a bad day from the `until`-th question on."""

    def __init__(self, words, until=99, has_chat=True):
        self.words, self.until, self.has_chat = words, until, has_chat
        self.asked = []

    def chat(self, system, user):
        if len(self.asked) >= self.until:
            raise ProcessingError(ErrorCode.RATE_LIMITED, "The provider takes no more requests.")
        self.asked.append((system, user))
        return self.words[user]


def test_the_same_name_is_translated_once():
    chat = Dictionary({"Soil": "Boden"})
    translator = Translator(chat, "en", "de")
    assert [translator.translate("Soil"), translator.translate("Soil")] == ["Boden", "Boden"]
    assert len(chat.asked) == 1
    assert "from en into de" in chat.asked[0][0]
    assert translator.notes == []


def test_names_stay_within_one_language():
    chat = Dictionary({})
    translator = Translator(chat, "de", "DE")
    assert translator.translate("Boden") == "Boden"
    assert (chat.asked, translator.notes) == ([], [])


def test_without_a_provider_names_stay_and_this_is_noted():
    translator = Translator(Dictionary({}, has_chat=False), "en", "de")
    assert translator.translate("Soil") == "Soil"
    assert translator.notes == ["Names were not translated: no chat provider is configured."]


def test_after_a_failure_the_provider_is_not_asked_again_and_known_names_stay():
    translator = Translator(Dictionary({"Soil": "Boden"}, until=1), "en", "de")
    translated = [translator.translate(name) for name in ("Soil", "Seeds", "Water", "Soil")]
    assert translated == ["Boden", "Seeds", "Water", "Boden"]
    assert translator.notes == ["Names were not translated: The provider takes no more requests."]


@pytest.mark.parametrize("answer", ["", '""', "Sure! Here it is:\nBoden", "x" * 501])
def test_an_answer_that_is_not_a_name_is_not_taken(answer):
    translator = Translator(Dictionary({"Soil": answer}), "en", "de")
    assert translator.translate("Soil") == "Soil"
    assert len(translator.notes) == 1


def test_quotes_around_an_answer_go():
    assert Translator(Dictionary({"Soil": ' "Boden"\n'}), "en", "de").translate("Soil") == "Boden"
