"""Detect Vietnamese text that was destroyed by a wrong encoding: mojibake, lost letters, legacy fonts."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# UTF-8 decoded as Windows-1252 or -1258 begins with these: Ã¡, áº£, Ä‘, Æ°, â€œ; as Mac Roman: √°, ·∫£, ƒë, ∆∞.
_MOJIBAKE: Final = re.compile(
    "[ÃÂĂ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|á[º»][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|Ä[‘\u0091\u0090\u0110]|Æ[°¡]|â€|ðŸ"
    "|√[°†¢£§®©≤≥∫ªΩ∏∂±¥µ¨¶]|·[∫ª][\u0080-\u2265]|ƒ[ëê]|∆[∞°]"
)
_ENCODINGS: Final = ("cp1252", "cp1258", "mac-roman")
# TCVN3 (.VnTime) and VNI fonts encode marks as signs and letters that Vietnamese does not have.
_LEGACY_FONT: Final = re.compile(r"[^\W\d_][¸¶¹¨](?![^\W\d_]*[ăâđêôơư])|[aeou][ûø]|[aeo]ù", re.IGNORECASE)
_LOST: Final = "\N{REPLACEMENT CHARACTER}"
_QUESTION_MARK_IN_WORD: Final = re.compile(r"[^\W\d_]\?+[^\W\d_]|(?:^|\s)\?+[^\W\d_]")


def is_damaged(text: str) -> bool:
    """
    Return whether letters were certainly destroyed by a wrong encoding.

    >>> is_damaged("báº£ng giÃ¡"), is_damaged("b\ufffdng gi\ufffd"), is_damaged("BÃ bảo MÃ số")
    (True, True, False)
    """
    if text.isascii():
        return False
    return _LOST in text or _MOJIBAKE.search(text) is not None or _LEGACY_FONT.search(_composed(text)) is not None


def repaired(text: str) -> str | None:
    """
    Return the text before its bytes were decoded wrongly; None if it cannot be recovered.

    >>> repaired("báº£ng giÃ¡"), repaired("b\ufffdng")
    ('bảng giá', None)
    """
    for encoding in _ENCODINGS:
        try:
            found = b"".join(_byte(char, encoding) for char in text).decode()
        except UnicodeError:
            continue
        if found != text and not is_damaged(found) and found.isprintable():
            return found
    return None


def _byte(char: str, encoding: str) -> bytes:
    try:
        return char.encode(encoding)
    except UnicodeEncodeError:
        return char.encode("latin-1")  # bytes that the encoding leaves undefined


def has_question_marks_for_letters(text: str) -> bool:
    """
    Return whether ``?`` stands where letters were: in the middle of a word, or at its beginning.

    >>> has_question_marks_for_letters("b?ng gi?"), has_question_marks_for_letters("giá bao nhiêu?")
    (True, False)
    """
    return "?" in text and _QUESTION_MARK_IN_WORD.search(text) is not None


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
