"""Signs of fonts that are not Unicode, such as Wingdings (w:sym, ISO/IEC 29500-1, 17.3.3.30). Pure."""

from typing import Final

SYMBOLS: Final = {
    ("wingdings", 0xFC): "✓", ("wingdings", 0xFB): "✗", ("wingdings", 0xFE): "☑", ("wingdings", 0xFD): "☒",
    ("wingdings", 0xA8): "☐", ("wingdings", 0x6F): "☐", ("wingdings", 0x78): "☒", ("wingdings", 0xE0): "→",
    ("wingdings", 0xDF): "←", ("wingdings", 0xA7): "▪", ("wingdings", 0x6C): "●", ("wingdings", 0x6E): "■",
    ("wingdings", 0x28): "☎", ("wingdings", 0x2A): "✉", ("wingdings 2", 0x52): "☑", ("wingdings 2", 0x51): "☒",
    ("wingdings 2", 0xA3): "☐", ("wingdings 2", 0x50): "✓", ("wingdings 2", 0x4F): "✗", ("symbol", 0xB7): "•",
    ("symbol", 0xB0): "°", ("symbol", 0xB1): "±", ("symbol", 0xA3): "≤", ("symbol", 0xB3): "≥",
    ("symbol", 0xB4): "\u00d7",
    ("symbol", 0xB8): "÷", ("symbol", 0xB9): "≠", ("symbol", 0xBB): "≈", ("symbol", 0xA5): "∞", ("symbol", 0xAE): "→",
    ("symbol", 0xD2): "®", ("symbol", 0xD3): "©", ("symbol", 0xD4): "™", ("symbol", 0xD6): "√", ("symbol", 0x22): "∀",
    **{("symbol", ord(latin)): greek for latin, greek in zip(
        "abgdezhqiklmnxoprstufcywABGDEZHQIKLMNXOPRSTUFCYW", "αβγδεζηθικλμνξοπρστυφχψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
        strict=True)},
}  # fmt: skip
"""Signs of fonts that are not Unicode, by font and place."""


def unicode_sign(font: str, char: str) -> str:
    """Return the sign at a place of a font, in hexadecimal digits; empty for one without a known meaning.

    Places of such fonts are often moved to the private use area, by F000.
    """
    try:
        place = int(char, 16)
    except ValueError:
        return ""
    own = place - 0xF000 if 0xF000 <= place < 0xF100 else place
    if (font.lower(), own) in SYMBOLS:
        return SYMBOLS[font.lower(), own]
    private = 0xD800 <= place < 0xF900
    return "" if private or not 0x20 <= place <= 0x10FFFF else chr(place)
