"""Values that no field should be harmed by: texts, hosts, numbers, nesting, charsets. Drawn by Hypothesis."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

FILE = "file-00000000-0000-4000-8000-000000000000"
HOSTS = (
    "漢" * 1800,
    "a" * 64,
    "a." * 200,
    "straße.example",
    "i\u2764.ws",
    "xn--",
    "xn--\u00fc",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\u30020\u30021",
    "%31%32%37.0.0.1",
    "a%00b.example",
    "\u202eelpmaxe.example",
    "[::1]",
    "[::ffff:127.0.0.1%25eth0]",
    "[v1.a]",
    "{jobId}.example",
    "a..b",
    "user:word@e.example",
    "e.example:0",
    "e.example:99999",
    "e.example\\@127.0.0.1",
)
TEXTS = (
    "\x00",
    "a\x00b",
    "a\nb",
    "a\rb",
    "\x1b[2J",
    "\x7f",
    "\x85",
    "\ud800",
    "a\udfffb",
    "\ufffe",
    "\u202egnp.exe",
    "\u2028",
    ".",
    "..",
    "../..",
    "..\\..",
    "%2e%2e%2f",
    "/",
    "//",
    "\\",
    "/etc/passwd",
    "/data/../etc",
    "a" * 10_000,
    "\U0001f600" * 5_000,
    "x#1",
    "a/x#12",
    "upload://..",
    "upload://",
    f"upload://{FILE}",
    f"upload://{FILE}/a",
    f"upload://{FILE}\\a\nb",
    f"upload://{FILE}/..",
    "file:///..%2f..",
    "s3://a/%00",
    "job-00000000-0000-4000-8000-000000000000\n",
    "doc-00000000-0000-4000-8000-000000000000\x00",
    "'; DROP TABLE jobs; --",
    "{{ 7*7 }}",
    "%s%n",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "9" * 5000,
    "1e400",
    "-0",
    "",
    " ",
    "{",
    '{"a":NaN}',
    '{"a":"\\u0000"}',
    '{"a":' * 150 + "1" + "}" * 150,
    *(f"http://{host}/" for host in HOSTS),
    *(f"http://e.example/{part}" for part in ("\x00", "{jobId}" * 300, "ä" * 2000, "%zz", "\ud800", "..")),
)
NO_UPLOADS = tuple(
    f"upload://{rest}"
    for rest in ("..", "", "../..", "a" * 300, "file-1\\a\nb", "file-\x00/a", "file-x/a", "\u202e", "./a", "file-1#1/a")
)
"""Names that begin as those of uploads."""
NUMBERS = (0, -1, 2**31 - 1, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, -0.0, 5e-324, float("nan"), float("inf"), 0.5)


@dataclass(frozen=True)
class Nested:
    """An object with lists or objects within each other, `depth` in all, which is shown by its depth."""

    depth: int
    lists: bool

    def __call__(self) -> Any:
        value: Any = 1
        for _ in range(self.depth - 1):
            value = [value] if self.lists else {"a": value}
        return {"a": value}


DEEP = tuple(Nested(depth, lists) for depth in (90, 101, 198, 300) for lists in (True, False))
OBJECTS = tuple({"a": inner} for inner in ("\x00", "\ud800", [1] * 1000, 10**400))
CHARSETS = ("", "; charset=utf-8", "; charset=punycode", "; charset=utf-16", "; charset=utf-7", '; charset="idna"')

_ALPHABET = st.sampled_from("a/\\.:@%#?[]{}\x00\n\x1b\x7f\u202e\ud800\u00df\uff0e\u3002\U0001f600 ")
text_values = st.sampled_from(TEXTS) | st.text(_ALPHABET, max_size=12)
values: st.SearchStrategy[Any] = (
    text_values | text_values | st.sampled_from(NUMBERS) | st.sampled_from([*DEEP, *OBJECTS, None, True, [], {}])
)
