"""Web pages in many spellings: a document as blocks, and pages that all mean it."""

import string
from dataclasses import dataclass

from hypothesis import strategies as st

WORDS = st.lists(st.text(string.ascii_letters + "äß東京&<>\"'|*_", min_size=1, max_size=5), min_size=1, max_size=3).map(
    " ".join
)


@dataclass(frozen=True)
class Part:
    """A part of a page: `h1` to `h6`, `p`, `ul`, `ol` or `table`, and its texts, of a table by row."""

    tag: str
    rows: tuple[tuple[str, ...], ...]


PARAGRAPHS = st.builds(lambda tag, text: Part(tag, ((text,),)), st.sampled_from(["p", "h1", "h3", "h6"]), WORDS)
LISTS = st.builds(
    lambda tag, items: Part(tag, tuple((item,) for item in items)),
    st.sampled_from(["ul", "ol"]),
    st.lists(WORDS, min_size=1, max_size=3),
)
TABLES = st.integers(2, 3).flatmap(
    lambda width: st.lists(st.lists(WORDS, min_size=width, max_size=width).map(tuple), min_size=1, max_size=3).map(
        lambda rows: Part("table", tuple(rows))
    )
)
PARTS = st.lists(PARAGRAPHS | LISTS | TABLES, min_size=1, max_size=5)


class Spelling:
    """One of the ways in which a page may be written (HTML, 13.1): each choice is drawn."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def page(self, parts: list[Part]) -> str:
        """A page of the parts, with optional tags or without, and with odd ones that HTML5 has a rule for."""
        body = self._blank().join(self._part(part) for part in parts)
        start = self._any(
            "", "<!DOCTYPE html>", "<!doctype HTML PUBLIC '-//W3C//DTD HTML 4.01//EN'>", "<!-- </head> -->"
        )
        head = self._any("", "<head>", "<html><head>", "<html lang=en>")
        title = self._any("", "<title>A &amp; b</title>", "<meta name=x content='</p>'>")
        script = self._any("", "<script>var x = '<p>hidden</p>'</script language=x>", "<style>p {}</style >")
        end = self._any("", "</head>", "</head><body>", "<body class=a>")
        close = self._any("", "</body>", "</body></html>", "</html>", "</div></body>")
        return f"{start}{head}{title}{script}{end}{body}{self._blank()}{close}"

    def _any(self, *choices: str) -> str:
        return self._data.draw(st.sampled_from(choices))

    def _blank(self) -> str:
        return self._any("", "\n", " <!-- <p>unseen --> ")

    def _part(self, part: Part) -> str:
        if part.tag == "table":
            rows = "".join(self._row(row) for row in part.rows)
            return f"{self._tag('table')}{self._any('', '<tbody>', '<thead>')}{rows}</table>"
        if part.tag in ("ul", "ol"):
            items = "".join(f"{self._tag('li')}{self._text(text)}{self._end('li')}" for (text,) in part.rows)
            return f"{self._tag(part.tag)}{items}</{part.tag}>"
        text = self._text(part.rows[0][0])
        return f"{self._tag(part.tag)}{text}{self._end('p') if part.tag == 'p' else f'</{part.tag}>'}"

    def _row(self, row: tuple[str, ...]) -> str:
        cells = "".join(f"{self._tag('td')}{self._text(text)}{self._end('td')}" for text in row)
        return f"{self._tag('tr')}{cells}{self._end('tr')}"

    def _tag(self, name: str) -> str:
        return self._any(f"<{name}>", f"<{name.upper()}>", f'<{name} title="a > b">', f"<{name} a=b\n>")

    def _end(self, name: str) -> str:
        return self._any("", f"</{name}>", f"</{name.upper()} >")

    def _text(self, text: str) -> str:
        return "".join(self._character(char) for char in text)

    def _character(self, char: str) -> str:
        named = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "ä": "&auml;", "ß": "&szlig;", " ": "\n "}
        if char in "&<":
            return self._any(named[char], f"&#{ord(char)};")
        return self._any(char, named[char]) if char in named else char
