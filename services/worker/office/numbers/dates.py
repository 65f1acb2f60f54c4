"""Dates, times and durations by the parts of a format (ISO/IEC 29500-1, 18.8.31 and 18.17.4). Pure."""

from datetime import datetime, timedelta
from typing import Final

from services.worker.office.numbers.sections import Section

EPOCH: Final = datetime(1899, 12, 30)
EPOCH_1904: Final = datetime(1904, 1, 1)
DAY: Final = 86_400
UNITS: Final = {"h": 3600, "n": 60, "s": 1}
LAST_DAY: Final = 2_958_466
"""The day after 9999-12-31."""
FALSE_LEAP_DAY: Final = 60
"""1900-02-29, which never was, has a number all the same."""
MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                 "November", "December")  # fmt: skip
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def date_shown(section: Section, days: float, since_1904: bool) -> str | None:
    """Return days since the epoch as a section shows them; None for a number that cannot be a date."""
    elapsed = any(token.kind == "date" and token.text[0] == "[" for token in section.tokens)
    if not elapsed and not 0 <= days < LAST_DAY:
        return None
    places = _places(section)
    unit = 10**places
    ticks = round(abs(days) * DAY * unit)
    seconds, part = divmod(ticks, unit)
    moment = None if elapsed else _moment(days, seconds, since_1904)
    parts = [token.text for token in section.tokens if token.kind == "date"]
    half = any(part[0] in "aA" for part in parts)
    total = {part[1].replace("m", "n") for part in parts if part[0] == "["}
    written = "-" if days < 0 else ""
    digits = f"{part:0{places}}" if places else ""
    for token in section.tokens:
        match token.kind:
            case "date":
                written += _part(token.text, moment, seconds, half, total)
            case "digit":
                written, digits = written + digits, ""
            case "fill":
                pass
            case _:
                written += token.text
    return written


def _places(section: Section) -> int:
    """Return the number of decimal places of the seconds, at most 3."""
    kinds = [token.kind for token in section.tokens]
    if "point" not in kinds:
        return 0
    places = 0
    for kind in kinds[kinds.index("point") + 1 :]:
        if kind != "digit":
            break
        places += 1
    return min(places, 3)


def _moment(days: float, seconds: int, since_1904: bool) -> datetime:
    if since_1904:
        return EPOCH_1904 + timedelta(seconds=seconds)
    early = timedelta(days=1) if days < FALSE_LEAP_DAY else timedelta()
    return EPOCH + early + timedelta(seconds=seconds)


def _part(part: str, moment: datetime | None, seconds: int, half: bool, total: set[str]) -> str:
    """Return one part of a date or duration; `total` are the units that a duration counts without a limit."""
    bare = part.strip("[]").replace("m", "n") if part[0] == "[" else part
    if bare[0] in total:
        return f"{seconds // UNITS[bare[0]]:0{len(bare)}}"
    width = min(len(part), 2)
    match part[0]:
        case "n":
            return f"{seconds // 60 % 60:0{width}}"
        case "s":
            return f"{seconds % 60:0{width}}"
        case "h":
            hour = seconds // 3600 % 24
            return f"{(hour - 1) % 12 + 1 if half else hour:0{width}}"
        case "a" | "A":
            letter = "AP"[seconds // 3600 % 24 >= 12]
            return f"{letter}M" if part == "ampm" else letter.lower() if part[0] == "a" else letter
    return "" if moment is None else _calendar(part, moment)


def _calendar(part: str, moment: datetime) -> str:
    match part[0], len(part):
        case "y", 1 | 2:
            return f"{moment.year % 100:02}"
        case "y" | "e", _:
            return f"{moment.year:04}"
        case "m", 1 | 2:
            return f"{moment.month:0{len(part)}}"
        case "m", 3:
            return MONTHS[moment.month - 1][:3]
        case "m", 5:
            return MONTHS[moment.month - 1][0]
        case "m", _:
            return MONTHS[moment.month - 1]
        case "d", 1 | 2:
            return f"{moment.day:0{len(part)}}"
        case "d", 3:
            return DAYS[moment.weekday()][:3]
        case "d", _:
            return DAYS[moment.weekday()]
        case "b", _:
            return f"{moment.year + 543:04}"
    return ""
