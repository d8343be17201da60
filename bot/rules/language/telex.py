"""Decode Telex and VNI keystrokes that no input method decoded: ``gias``, ``bao nhieeu``, ``gia1``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.rules.language.syllables import is_syllable
from bot.rules.language.text import Letter, Syllable, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_GRAVE, _ACUTE, _TILDE, _HOOK, _DOT = 1, 2, 4, 8, 16  # the bits of `Letter.tones`
_CIRCUMFLEX, _BREVE, _HORN = 1, 2, 3  # of `Letter.shape`; 1 on a d is the stroke of đ

_TELEX_TONES: Final = {"f": _GRAVE, "s": _ACUTE, "x": _TILDE, "r": _HOOK, "j": _DOT}
_VNI_TONES: Final = {"2": _GRAVE, "1": _ACUTE, "4": _TILDE, "3": _HOOK, "5": _DOT}
_TELEX_SHAPES: Final[Mapping[str, Mapping[str, int]]] = {
    "w": {"o": _HORN, "u": _HORN, "a": _BREVE},
    **{key: {key: _CIRCUMFLEX} for key in "aeo"},
}
_VNI_SHAPES: Final[Mapping[str, Mapping[str, int]]] = {
    "6": dict.fromkeys("aeo", _CIRCUMFLEX),
    "7": dict.fromkeys("ou", _HORN),
    "8": {"a": _BREVE},
}
_VOWELS: Final = frozenset("aeiouy")
_MAX_LENGTH: Final = 10  # "nghieengs" has nine


def decode(word: str) -> Syllable | None:
    """
    Return the syllable that the keystrokes give; None if there are none, or the result is no syllable.

    *word*: normalised, one word, without typed marks.

    >>> decode("nhieeu").letters, decode("gia1").letters, decode("shop"), decode("gia")
    ('nhieu', 'gia', None, None)
    """
    keys = plain(word)
    if not keys.isascii() or not 2 <= len(keys) <= _MAX_LENGTH:
        return None
    if keys.isalpha():
        letters, tone = _decode_telex(keys)
    else:
        letters, tone = _decode_vni(keys)
    if len(letters) == len(keys) or not is_syllable("".join([letter.base for letter in letters])):
        return None
    at = next((n for n, letter in enumerate(letters) if letter.base in _VOWELS), None)
    if at is None:
        return None
    letters[at] = letters[at]._replace(tones=tone)
    return Syllable.of(letters)


def _decode_telex(keys: str) -> tuple[list[Letter], int]:
    letters: list[Letter] = []
    tone, had_vowel = 0, False
    for key in keys:
        if had_vowel and key in _TELEX_TONES:
            tone = _TELEX_TONES[key]
        elif had_vowel and _shape_last(letters, _TELEX_SHAPES.get(key, {})):
            pass
        elif key == "d" and letters and letters[0] == Letter("d", 0, 0):
            letters[0] = Letter("d", 0, 1)
        else:
            letters.append(Letter(key, 0, 0))
            had_vowel = had_vowel or key in _VOWELS
    return letters, tone


def _decode_vni(keys: str) -> tuple[list[Letter], int]:
    """Return the letters and the tone; there are as many letters as keys if no key was decoded as a mark."""
    letters: list[Letter] = []
    tone = 0
    for key in keys:
        if key == "9" and letters and letters[0] == Letter("d", 0, 0):
            letters[0] = Letter("d", 0, 1)
        elif key in _VNI_TONES and any(letter.base in _VOWELS for letter in letters):
            tone = _VNI_TONES[key]
        elif _shape_last(letters, _VNI_SHAPES.get(key, {})):
            pass
        else:
            letters.append(Letter(key, 0, 0))
    return letters, tone


def _shape_last(letters: list[Letter], shapes: Mapping[str, int]) -> bool:
    """Set the shape of the last bare letter that can have one of *shapes*; return whether there is one."""
    for at in range(len(letters) - 1, -1, -1):
        base, tones, shape = letters[at]
        if base in shapes and not shape:
            letters[at] = Letter(base, tones, shapes[base])
            return True
    return False
