"""Numbers as Excel shows them (ISO/IEC 29500-1, 18.8.31)."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.worker.office.numbers.formats import code_of, general, shown_number, shown_text

SHOWN = [
    ("0.075", "0.0%", "7.5%"),
    ("0.65", "0%", "65%"),
    ("1234.5", '#,##0.00\\ "€"', "1,234.50 €"),
    ("1234.5", "[$$-409]#,##0.00", "$1,234.50"),
    ("-1234.5", '#,##0.00" €";[Red]\\-#,##0.00" €"', "-1,234.50 €"),
    ("1234.5", '_-* #,##0.00\\ "€"_-;\\-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-', "1,234.50 €"),
    ("0", '_-* #,##0.00\\ "€"_-;\\-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-', "- €"),
    ("7", "000", "007"),
    ("7", "General", "7"),
    ("-5", "0;(0)", "(5)"),
    ("0", '0;-0;"nothing"', "nothing"),
    ("12", '0" kg"', "12 kg"),
    ("5551234567", "(000) 000-0000", "(555) 123-4567"),
    ("1500000", '0.0,," M"', "1.5 M"),
    ("1234567", "#,.0,", "1.2"),
    ("2.675", "0.00", "2.68"),
    ("-0.001", "0.00", "0.00"),
    ("0.75", "#.##", ".75"),
    ("1.2", "0.0##", "1.2"),
    ("12345", "0.00E+00", "1.23E+04"),
    ("0.00000015", "0.00E+00", "1.50E-07"),
    ("12345", "##0.0E+0", "12.3E+3"),
    ("9.996", "0.00E+0", "1.00E+1"),
    ("2.3333333333333335", "# ?/?", "2 1/3"),
    ("0.5", "# ?/?", "1/2"),
    ("2.5", '# ??/16" in"', "2 8/16 in"),
    ("3", "# ?/?", "3"),
    ("15", "[<10]0.0;[>=10]0", "15"),
    ("5", '[<10]0.0;[>=10]0" many"', "5.0"),
    ("10", '[<10]0" few"', "10"),
    ("46096", "mm/dd/yyyy", "03/15/2026"),
    ("46096", "d. mmmm yyyy", "15. March 2026"),
    ("46096", "ddd, d mmm yy", "Sun, 15 Mar 26"),
    ("46096", "[$-407]dddd", "Sunday"),
    ("46096.5868055556", "yyyy-mm-dd hh:mm", "2026-03-15 14:05"),
    ("0.75", "h:mm AM/PM", "6:00 PM"),
    ("0", "h:mm a/p", "12:00 a"),
    ("1.1041666666666667", "[h]:mm", "26:30"),
    ("0.02", "[mm]:ss", "28:48"),
    ("0.0423", "mm:ss.0", "00:54.7"),
    ("-0.5", "[h]:mm", "-12:00"),
    ("60", "yyyy-mm-dd", "1900-02-28"),
    ("1", "yyyy年m月d日", "1900年1月1日"),
    ("-3", "yyyy-mm-dd", "-3"),
    ("3", ";;;", "3"),
    ("NaN", "0.00", "NaN"),
    ("not a number", "0.00", "not a number"),
]


@pytest.mark.parametrize(("stored", "code", "shown"), SHOWN)
def test_a_number_is_shown_by_its_format(stored: str, code: str, shown: str) -> None:
    assert shown_number(stored, code) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333333"),
        (200 / 3, "66.66666667"),
        (1234567890123.0, "1234567890123"),
        (4006381333931, "4006381333931"),
        (1.5e15, "1.5E+15"),
        (0.00001234, "0.00001234"),
        (0.0000123456789, "1.23457E-05"),
        (123456789012.75, "1.23457E+11"),
        (-2.5, "-2.5"),
        (-0.0, "0"),
    ],
)
def test_without_a_format_a_number_has_the_digits_of_a_cell(number: float, shown: str) -> None:
    assert general(number) == shown


def test_days_may_count_from_1904() -> None:
    assert shown_number("1.5", "yyyy-mm-dd hh:mm", since_1904=True) == "1904-01-02 12:00"


def test_the_dates_of_the_system_are_iso_dates() -> None:
    assert shown_number("46096", code_of(14, {})) == "2026-03-15"
    assert shown_number("46096.25", code_of(22, {})) == "2026-03-15 6:00"


def test_a_text_takes_only_a_format_that_names_it() -> None:
    assert shown_text("abc", '0;0;0;"<"@">"') == "<abc>"
    assert shown_text("abc", "0.00") == "abc"


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_decimal_places_are_rounded_as_by_hand(number: float, places: int) -> None:
    code = "#,##0" + ("." + "0" * places if places else "")
    exact = Decimal(f"{number:.15g}").quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    assert shown_number(repr(number), code) == (f"{exact:,f}" if exact else f"{abs(exact):,f}")


@given(st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 31)).map(lambda moment: moment.replace(microsecond=0)))
def test_each_moment_since_march_1900_is_found_again(moment: datetime) -> None:
    days = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
    assert shown_number(repr(days), "yyyy-mm-dd hh:mm:ss") == moment.isoformat(" ")


@given(st.integers(0, 10_000_000))
def test_durations_count_their_hours_without_a_limit(seconds: int) -> None:
    shown = shown_number(repr(seconds / 86_400), "[h]:mm:ss")
    hours, minutes, rest = (int(piece) for piece in shown.split(":"))
    assert (hours * 60 + minutes) * 60 + rest == seconds


@given(
    st.floats(allow_nan=True, allow_infinity=True), st.text('0#?.,;%E+-/@_*\\"[<>=10]hmsydaPM $€General', max_size=24)
)
def test_any_number_has_a_text_in_any_format(number: float, code: str) -> None:
    assert isinstance(shown_number(repr(number), code), str)
