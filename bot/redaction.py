"""Redaction: text from outside on a single line, without control characters, telephone numbers and e-mail addresses."""

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


def single_line(text: str) -> str:
    """
    Return *text* on one line, without the characters that steer a terminal or hide.

    >>> single_line("HTTP 400:\\n\\x1b[31mbad\\u202e")
    'HTTP 400: [31mbad'
    """
    if not text.isprintable():
        text = "".join(" " if character.isspace() else character for character in text if not _steers(character))
    return " ".join(text.split())


def redact(text: str) -> str:
    """
    Return a customer's words on one line, telephone and other long numbers and e-mail addresses left out.

    >>> redact("ship cho mình, sđt 0912.345.678 hoặc na@shop.example nhé")
    'ship cho mình, sđt ••• hoặc ••• nhé'
    >>> redact("2 ly 150.000đ")
    '2 ly 150.000đ'
    """
    plain = single_line(unicodedata.normalize("NFKC", single_line(text[:_LONGEST])))
    return single_line(_NUMBER.sub(MASK, _ADDRESS.sub(MASK, plain)))


def _steers(character: str) -> bool:
    """Return whether it is a control, a direction mark or the like; white space is not."""
    return unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs"} and not character.isspace()
