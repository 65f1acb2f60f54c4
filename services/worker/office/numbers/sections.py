"""A number format taken apart: its sections, and the tokens of each (ISO/IEC 29500-1, 18.8.31). Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

TokenKind = Literal["text", "digit", "point", "group", "percent", "exponent", "slash", "date", "general", "at", "fill"]

TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"?'
    r"|\\(?P<escaped>.)"
    r"|_(?P<blank>.)"
    r"|\*(?P<repeated>.)"
    r"|\[(?P<bracket>[^\[\]]*+)\]"
    r"|(?P<general>general)"
    r"|(?P<half>am/pm|a/p|上午/下午)"
    r"|(?P<exponent>e[+-])"
    r"|(?P<date>y+|m+|d+|h+|s+|g+|b+|e+)"
    r"|(?P<digit>[0#?])"
    r"|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
CONDITION: Final = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[\d.]+)")
CURRENCY: Final = re.compile(r"\$([^-]*)")
ELAPSED: Final = re.compile(r"h+|m+|s+", re.IGNORECASE)
MAX_CODE: Final = 1024
"""Characters of a format code that are read; Excel writes at most 255."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a section: `text` is what it writes, or which digits or part of a date."""

    kind: TokenKind
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """One of the up to four sections of a format, with the condition that it names."""

    tokens: tuple[Token, ...]
    condition: tuple[str, float] | None = None

    @property
    def is_date(self) -> bool:
        """Whether it shows a date, a time or a duration."""
        return any(token.kind == "date" for token in self.tokens)

    def has(self, kind: TokenKind) -> bool:
        """Whether it has a token of a kind."""
        return any(token.kind == kind for token in self.tokens)


@lru_cache(maxsize=1024)
def sections_of(code: str) -> tuple[Section, ...]:
    """Return the sections of a format code."""
    sections: list[Section] = []
    tokens: list[Token] = []
    condition: tuple[str, float] | None = None
    for match in TOKEN.finditer(code[:MAX_CODE]):
        if match["other"] == ";":
            sections.append(_finished(tokens, condition))
            tokens, condition = [], None
        elif match["bracket"] is not None:
            condition = _condition(match["bracket"]) or condition
            tokens.extend(_bracket(match["bracket"]))
        else:
            tokens.extend(_token(match))
    sections.append(_finished(tokens, condition))
    return tuple(sections)


def _finished(tokens: list[Token], condition: tuple[str, float] | None) -> Section:
    """Return a section; in a date `m` beside hours or seconds is a minute."""
    if any(token.kind == "date" for token in tokens):
        tokens = _minutes(tokens)
    return Section(tuple(tokens), condition)


def _minutes(tokens: list[Token]) -> list[Token]:
    """Write minutes as `n`: `m` behind hours, before seconds, and in durations."""
    found = list(tokens)
    dates = [place for place, token in enumerate(tokens) if token.kind == "date" and token.text[0] in "ymdhs["]
    elapsed = any(tokens[place].text[0] == "[" for place in dates)
    for position, place in enumerate(dates):
        if set(tokens[place].text) != {"m"} or len(tokens[place].text) > 2:
            continue
        before = tokens[dates[position - 1]].text if position else ""
        after = tokens[dates[position + 1]].text if position + 1 < len(dates) else ""
        if elapsed or before[:1] == "h" or after[:1] == "s":
            found[place] = Token("date", tokens[place].text.replace("m", "n"))
    return found


def _condition(bracket: str) -> tuple[str, float] | None:
    match = CONDITION.fullmatch(bracket.strip())
    try:
        return (match[1], float(match[2])) if match else None
    except ValueError:
        return None


def _bracket(bracket: str) -> list[Token]:
    """Return what a bracket writes: a currency or an elapsed time; colours, conditions and locales write nothing."""
    if ELAPSED.fullmatch(bracket):
        return [Token("date", f"[{bracket.lower()}]")]
    currency = CURRENCY.match(bracket)
    return [Token("text", currency[1])] if currency and currency[1] else []


def _token(match: re.Match[str]) -> list[Token]:
    for group in ("quoted", "escaped"):
        if match[group] is not None:
            return [Token("text", match[group])]
    if match["blank"] is not None:
        return [Token("text", " ")]
    if match["repeated"] is not None:
        return [Token("fill", "")]
    if match["general"]:
        return [Token("general", "")]
    if match["half"]:
        return [Token("date", match["half"] if len(match["half"]) == 3 else "ampm")]
    if match["exponent"]:
        return [Token("exponent", match["exponent"])]
    if match["date"]:
        return [Token("date", match["date"].lower())]
    if match["digit"]:
        return [Token("digit", match["digit"])]
    return [_symbol(match["other"])]


def _symbol(character: str) -> Token:
    kinds: dict[str, TokenKind] = {".": "point", ",": "group", "%": "percent", "/": "slash", "@": "at"}
    return Token(kinds.get(character, "text"), character)
