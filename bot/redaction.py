"""Words that came from outside, made fit to be shown: on one line, and without what names a person."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: What stands where a number or an address was.
MASK: Final = "•••"

_LONGEST = 2_500
# A telephone number has eight digits or more, and people put dots, spaces or keycaps between them.
# Six digits are a price: 150.000.
_NUMBER = re.compile(r"[+(]?\d(?:[\W_]{0,5}\d){6,}")
_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]+ ?@ ?[\w-]+(?:\.[\w-]+)+|(?<!\S)[^\s@]*@\S*")


def one_line(text: str) -> str:
    """
    Return *text* on one line, without the characters that steer a terminal or hide.

    >>> one_line("HTTP 400:\\n\\x1b[31mbad\\u202e")
    'HTTP 400: [31mbad'
    """
    if not text.isprintable():
        text = "".join(" " if character.isspace() else character for character in text if not _steers(character))
    return " ".join(text.split())


def masked(text: str) -> str:
    """
    Return a customer's words on one line, telephone and other long numbers and e-mail addresses left out.

    >>> masked("ship cho mình, sđt 0912.345.678 hoặc na@shop.example nhé")
    'ship cho mình, sđt ••• hoặc ••• nhé'
    >>> masked("2 ly 150.000đ")
    '2 ly 150.000đ'
    """
    plain = one_line(unicodedata.normalize("NFKC", one_line(text[:_LONGEST])))
    return one_line(_NUMBER.sub(MASK, _ADDRESS.sub(MASK, plain)))


def _steers(character: str) -> bool:
    """Return whether it is a control, a direction mark or the like; white space is not."""
    return unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs"} and not character.isspace()
