"""Keystrokes of Telex and VNI for Vietnamese letters, and neighbouring keys for typos."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

GRAVE, ACUTE, HOOK, TILDE, DOT = "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"
_CIRCUMFLEX, _BREVE, _HORN = "\u0302", "\u0306", "\u031b"
TONES = (GRAVE, ACUTE, HOOK, TILDE, DOT)

_TELEX_TONES = {ACUTE: "s", GRAVE: "f", HOOK: "r", TILDE: "x", DOT: "j"}
_VNI_TONES = {ACUTE: "1", GRAVE: "2", HOOK: "3", TILDE: "4", DOT: "5"}
_VNI_SHAPES = {_CIRCUMFLEX: "6", _HORN: "7", _BREVE: "8"}

_KEY_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def without_marks(text: str) -> str:
    """
    Return *text* with no mark on any letter.

    >>> without_marks("Đặt bàn ở đâu")
    'Dat ban o dau'
    """
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in apart if not unicodedata.combining(c))


def telex(word: str, *, tone_last: bool = True, one_w: bool = False) -> str:
    """
    Return the keys that a Telex user presses for *word*: the text if the input method is off.

    *tone_last*: the tone's key ends the word, else it follows its vowel. *one_w*: one w for both letters of ươ.

    >>> telex("giá"), telex("nhiêu"), telex("đổi"), telex("được"), telex("được", one_w=True)
    ('gias', 'nhieeu', 'ddooir', 'dduwowcj', 'dduowcj')
    """
    return _keys(word, _telex_letter, _TELEX_TONES, tone_last=tone_last, one_horn=one_w)


def vni(word: str, *, tone_last: bool = True, one_seven: bool = False) -> str:
    """
    Return the keys that a VNI user presses for *word*; arguments as in `telex`.

    >>> vni("giá"), vni("nhiêu"), vni("đổi"), vni("đổi", tone_last=False)
    ('gia1', 'nhie6u', 'd9o6i3', 'd9o63i')
    """
    return _keys(word, _vni_letter, _VNI_TONES, tone_last=tone_last, one_horn=one_seven)


def _keys(
    word: str, letter: Callable[[str, str], str], tones: dict[str, str], *, tone_last: bool, one_horn: bool
) -> str:
    keys: list[str] = []
    last = ""
    horned_pair = "ươ" in unicodedata.normalize("NFC", _without_tone(word)).lower()
    for base, shape, tone in letters(word):
        plain = one_horn and horned_pair and base in "uU" and shape == _HORN
        keys.append(base if plain else letter(base, shape))
        if tone and tone_last:
            last = tones[tone]
        elif tone:
            keys.append(tones[tone])
    return "".join(keys) + last


def _telex_letter(base: str, shape: str) -> str:
    if base in "đĐ":
        return "dd" if base == "đ" else "Dd"
    return base + {"": "", _CIRCUMFLEX: base.lower()}.get(shape, "w")


def _vni_letter(base: str, shape: str) -> str:
    if base in "đĐ":
        return "d9" if base == "đ" else "D9"
    return base + _VNI_SHAPES.get(shape, "")


def letters(word: str) -> Iterator[tuple[str, str, str]]:
    """Yield each letter as its base (đ stays), its shape (circumflex, breve, horn) and its tone; "" for none."""
    for character in unicodedata.normalize("NFC", word):
        base, *marks = list(unicodedata.normalize("NFD", character))
        tone = next((mark for mark in marks if mark in TONES), "")
        yield base, next((mark for mark in marks if mark not in TONES), ""), tone


def spelled(parts: list[tuple[str, str, str]]) -> str:
    """Return the word of these `letters`."""
    return unicodedata.normalize("NFC", "".join(base + shape + tone for base, shape, tone in parts))


def _without_tone(word: str) -> str:
    return spelled([(base, shape, "") for base, shape, _ in letters(word)])


@cache
def near_keys(key: str) -> str:
    """
    Return the letters around *key* on the keyboard.

    >>> near_keys("g")
    'fhtyvb'
    """
    row = next((n for n, keys in enumerate(_KEY_ROWS) if key in keys), None)
    if row is None:
        return "n"
    at = _KEY_ROWS[row].index(key)
    beside = _KEY_ROWS[row][max(at - 1, 0) : at] + _KEY_ROWS[row][at + 1 : at + 2]
    above = _KEY_ROWS[row - 1][at : at + 2] if row else ""
    below = _KEY_ROWS[row + 1][max(at - 1, 0) : at + 1] if row + 1 < len(_KEY_ROWS) else ""
    return beside + above + below
