"""Names as people read them: spellings that look alike, or differ in case only, become one."""

from __future__ import annotations

import unicodedata

# characters that show nothing; Unicode's categories of control and format characters have the others
_BLANK_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0"
_VARIATION_SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0000, 0xE0FFF))


def plain(text: str) -> str:
    """Return the plain form: `folded`, without outer blanks, and with one blank for several."""
    return " ".join(folded(text).split())


def folded(text: str) -> str:
    """Return the text in one Unicode form (NFKC) and one case, without invisible characters."""
    visible = "".join(character for character in text if not _is_invisible(character))
    text = unicodedata.normalize("NFD", visible)
    # once is not enough: what a compatibility form becomes may have a case of its own, and upper() first makes one of i and its dotless kin
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.upper().casefold())
    return text


def _is_invisible(character: str) -> bool:
    if character.isascii() and character.isprintable():
        return False
    if unicodedata.category(character) in ("Cc", "Cf"):
        return not character.isspace()
    return character in _BLANK_LETTERS or any(first <= ord(character) <= last for first, last in _VARIATION_SELECTORS)
