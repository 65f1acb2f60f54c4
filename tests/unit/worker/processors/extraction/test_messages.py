"""E-mails, web archives and drawings through the `extraction` processor."""

from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.worker.mail.parts import MAX_DEPTH, shown
from tests.support.runs.extraction import Desk

HEADERS = "**From:** Ada <ada@example.com>\n**To:** b@example.com\n**Subject:** Prüfbericht"
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=20)


def mail(body: str = "Grüße", subject: str = "Prüfbericht") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ada <ada@example.com>"
    message["To"] = "b@example.com"
    message["Subject"] = subject
    message.set_content(body)
    return message


def test_a_mail_gives_its_headers_and_its_words(desk: Desk) -> None:
    message = mail("Grüße,\n\nder Bericht liegt bei.")
    message.replace_header("Content-Transfer-Encoding", "base64")
    message.set_content("Grüße,\n\nder Bericht liegt bei.", cte="base64")
    result = desk.run(desk.file("a.eml", message.as_bytes()))
    assert result.structured_data["extracted_text"] == (
        f"# Prüfbericht\n\n{HEADERS}\n\nGrüße,\n\nder Bericht liegt bei."
    )
    assert (result.structured_data["title"], result.notes, result.pages) == ("Prüfbericht", (), None)


def test_of_alternatives_the_page_is_read(desk: Desk) -> None:
    message = mail("plain words")
    message.add_alternative("<html><h2>Offer</h2><table><tr><td>Pipe<td>3</table>", subtype="html")
    text = desk.text(desk.file("a.eml", message.as_bytes()))
    assert text.endswith("## Offer\n\n| Pipe | 3 |\n| --- | --- |")
    assert "plain" not in text


def test_an_empty_page_does_not_cost_the_plain_words(desk: Desk) -> None:
    message = mail("plain words")
    message.add_alternative("<html><body></body></html>", subtype="html")
    assert "plain words" in desk.text(desk.file("a.eml", message.as_bytes()))


def test_attachments_are_listed_and_named_in_a_warning(desk: Desk) -> None:
    message = mail()
    message.add_attachment(b"12345", maintype="application", subtype="pdf", filename="Übersicht.pdf")
    result = desk.run(desk.file("a.eml", message.as_bytes()))
    assert result.structured_data["extracted_text"].endswith(
        "Grüße\n\n## Attachments\n\n- Übersicht.pdf (application/pdf, 5 bytes)"
    )
    assert result.notes == ("1 attachment is listed and not read: Übersicht.pdf.",)


def test_a_mail_within_a_mail_is_read(desk: Desk) -> None:
    message = mail("see below")
    message.add_attachment(mail("INNER", "Forwarded"))
    text = desk.text(desk.file("a.eml", message.as_bytes()))
    assert "## Forwarded" in text
    assert text.endswith("INNER")


def test_mails_within_mails_end_somewhere(desk: Desk) -> None:
    message = mail("innermost")
    for _ in range(MAX_DEPTH):
        outer = mail("outer")
        outer.add_attachment(message)
        message = outer
    result = desk.run(desk.file("a.eml", message.as_bytes()))
    assert f"Parts that are more than {MAX_DEPTH} deep in the message were not read." in result.notes


@pytest.mark.parametrize("name", ["a.mht", "download"])
def test_a_saved_page_gives_the_page(desk: Desk, name: str) -> None:
    archive = (
        'From: <Saved by a browser>\r\nSubject: T\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"'
        "\r\n\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        "<html><meta charset=3Dutf-8><h1>Gr=C3=BC=C3=9Fe</h1>\r\n--b--\r\n"
    )
    assert desk.text(desk.file(name, archive)) == "# Grüße"


def test_a_drawing_gives_its_words(desk: Desk) -> None:
    drawing = (
        '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><title>Plan</title><style>p {}</style>'
        '<g><desc>A house</desc><text x="1">Hello <tspan x="2">there</tspan></text></g></svg>'
    )
    result = desk.run(desk.file("a.svg", drawing))
    assert result.structured_data["extracted_text"] == "Plan\n\nA house\n\nHello there"
    assert (result.structured_data["title"], result.notes) == ("Plan", ())


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, TEXTS)
def test_whatever_is_sent_is_read(desk: Desk, subject: str, body: str) -> None:
    text = desk.text(desk.file("a.eml", mail(body, subject).as_bytes()))
    assert text.startswith(f"# {subject}")
    assert text.endswith(body)


@given(st.text(st.sampled_from("=?utf-8BQ_abc \t"), max_size=40))
def test_any_header_can_be_shown(raw: str) -> None:
    assert isinstance(shown(raw), str)
