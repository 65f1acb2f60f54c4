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


@pytest.mark.parametrize("declared", ['; boundary="other"', ""])
def test_parts_that_nothing_divides_are_read_as_they_stand(desk: Desk, declared: str) -> None:
    raw = f"From: a@b.example\nSubject: S\nContent-Type: multipart/mixed{declared}\n\n--x\n\nall the words\n--x--\n"
    result = desk.run(desk.file("a.eml", raw))
    assert "all the words" in result.structured_data["extracted_text"]
    assert result.notes == ("A part of the message is damaged; some of it may be missing or unreadable.",)


@pytest.mark.parametrize("kind", ["delivery-status", "disposition-notification", "feedback-report"])
def test_a_report_shows_its_fields(desk: Desk, kind: str) -> None:
    raw = (
        'From: a@b.example\nSubject: S\nContent-Type: multipart/report; boundary="x"\n\n--x\n\nNot delivered.\n--x\n'
        f"Content-Type: message/{kind}\n\nFinal-Recipient: rfc822; bob@example.com\nStatus: 5.1.1\n\n--x--\n"
    )
    text = desk.text(desk.file("a.eml", raw))
    assert "Not delivered." in text
    assert "**Final-Recipient:** rfc822; bob@example.com\n**Status:** 5.1.1" in text


def test_files_of_an_alternative_that_is_not_read_are_listed_once(desk: Desk) -> None:
    raw = (
        'From: a@b.example\nSubject: S\nContent-Type: multipart/alternative; boundary="x"\n\n'
        '--x\nContent-Type: multipart/mixed; boundary="y"\n\n--y\n\nplain\n'
        '--y\nContent-Type: application/pdf; name="plan.pdf"\n\n123\n--y--\n'
        "--x\nContent-Type: text/html\n\n<p>page\n"
        '--x\nContent-Type: text/calendar; name="invite.ics"\n\nBEGIN:VCALENDAR\n'
        "--x\nContent-Type: image/png\n\n12\n--x--\n"
    )
    result = desk.run(desk.file("a.eml", raw))
    text = result.structured_data["extracted_text"]
    assert "page" in text
    assert "plain" not in text
    assert [text.count(name) for name in ("plan.pdf", "invite.ics", "of the type image/png")] == [1, 1, 1]
    assert result.notes[-1].startswith("3 attachments are listed and not read: ")


def test_base64_without_its_padding_is_whole(desk: Desk) -> None:
    raw = "From: a@b.example\nSubject: S\nContent-Transfer-Encoding: base64\n\naGVsbG8\n"
    result = desk.run(desk.file("a.eml", raw))
    assert result.structured_data["extracted_text"].endswith("hello")
    assert result.notes == ()


def test_letters_beside_encoded_words_are_read(desk: Desk) -> None:
    raw = "From: a@b.example\nSubject: Grüße Łódź =?utf-8?q?K=C3=B6?= =?utf-8?q?ln?= \\udocs ü\n\nx\n"
    assert desk.run(desk.file("a.eml", raw)).structured_data["title"] == "Grüße Łódź Köln \\udocs ü"


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
