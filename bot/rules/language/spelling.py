"""Undo the spelling of chats: habits (-g for -ng, j for i, z for v, d and gi), stretched words, one-letter typos."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from bot.rules.language.text import Letter, Syllable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_VOWEL = "[aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵ]"
_TO_Y = str.maketrans("iìíỉĩịyỳýỷỹỵ", "yỳýỷỹỵiìíỉĩị")
_FINAL_I_OR_Y = re.compile(r"(?:[hklmst]|qu)?[iìíỉĩịyỳýỷỹỵ]")
_REPEATED = re.compile(r"(.)\1+")
_CLOTHES_SIZE = re.compile(r"x+[sl]")
_MIN_SQUEEZED_LENGTH: Final = 4  # below it, only runs of three letters or more

_HABITS: Final = tuple(
    (re.compile(pattern), replacements)
    for pattern, replacements in (
        (rf"(?<={_VOWEL})g$", ("ng",)),  # khôg
        (rf"(?<={_VOWEL})h$", ("nh",)),  # thàh
        (r"j", ("i",)),  # shjp
        (r"^f", ("ph",)),  # fí
        (rf"^z(?={_VOWEL})", ("d", "gi", "v")),  # zá
        (r"^z(?=[iìíỉĩị])", ("g",)),  # zì
        (r"^dz", ("d", "gi", "v")),
        (r"^k(?=[aàáảãạăằắẳẵặâầấẩẫậoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữự])", ("c",)),  # kòn
        (r"^w", ("qu",)),  # wán
        (r"^q(?=[aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệyỳýỷỹỵ])", ("qu",)),  # qà
        (rf"^p(?={_VOWEL})", ("b",)),  # pánh
        (rf"(?<={_VOWEL})k$", ("c", "ch")),  # thík
    )
)
# The tone is on the remaining vowel: típ for tiếp, mún for muốn, ngừi for người.
_SHORT_DIPHTHONGS: Final = (
    (re.compile(r"(?<=[^\W\d_aeioquy])i([\u0300-\u0323])(?=(?:m|n|p|t|u)$)"), "ie\u0302\\1"),
    (re.compile(r"(?<=[^\W\d_aeioquy])u([\u0300-\u0323])(?=(?:i|m|n|ng|t)$)"), "uo\u0302\\1"),
    (re.compile(r"(?<=[^\W\d_aeioquy])u\u031b([\u0300-\u0323])(?=(?:c|i|m|n|ng|p|t|u)$)"), "u\u031bo\u031b\\1"),
)
_OTHER_D: Final = ("gi", "v")


def respellings(word: str) -> Iterator[str]:
    """
    Yield the readings of a word that is no syllable once a habit is undone; *word* is normalised, with its marks.

    >>> list(respellings("khôg")), list(respellings("zá"))
    (['không'], ['dá', 'giá', 'vá'])
    """
    for pattern, replacements in _HABITS:
        for replacement in replacements if pattern.search(word) else ():
            yield pattern.sub(replacement, word)


def sound_alikes(word: str) -> Iterator[str]:
    """
    Yield the homophones of *word*, a syllable with a tone mark, as people write them who spell as they speak.

    >>> list(sound_alikes("mún")), list(sound_alikes("dô"))
    (['muốn'], ['giô', 'vô'])
    """
    decomposed = unicodedata.normalize("NFD", word)
    for pattern, replacement in _SHORT_DIPHTHONGS:
        if pattern.search(decomposed):
            yield unicodedata.normalize("NFC", pattern.sub(replacement, decomposed))
    if word.startswith("d") and not word.isascii():
        yield from (initial + word[1:] for initial in _OTHER_D)


def with_other_i(word: str) -> str | None:
    """
    Return the other accepted spelling of a final i or y; None if there is only one.

    >>> with_other_i("mĩ"), with_other_i("kỹ"), with_other_i("mai")
    ('mỹ', 'kĩ', None)
    """
    return word[:-1] + word[-1].translate(_TO_Y) if _FINAL_I_OR_Y.fullmatch(word) else None


def one_letter_less(word: str) -> set[str]:
    """Return the word and its deletions of one letter: the keys of a symmetric delete index (SymSpell)."""
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}


def is_one_edit_apart(one: str, other: str) -> bool:
    """
    Return whether the Damerau-Levenshtein distance (optimal string alignment) of two words is one.

    >>> is_one_edit_apart("khuyne", "khuyen"), is_one_edit_apart("gia", "gai"), is_one_edit_apart("gia", "gioi")
    (True, True, False)
    """
    start, end = 0, 0
    shorter = min(len(one), len(other))
    while start < shorter and one[start] == other[start]:
        start += 1
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    left, right = one[start : len(one) - end], other[start : len(other) - end]
    return max(len(left), len(right)) == 1 or (len(left) == 2 and left == right[::-1])


def squeezed(letters: Sequence[Letter]) -> set[Syllable]:
    """
    Return what a stretched word may be: runs of three or more equal letters cut to one or two, runs of two to one.

    Two letters are a run only in words of at least four (``giáá``); clothing sizes are never stretched (``xxl``).
    """
    word = "".join([letter.base for letter in letters])
    if not _REPEATED.search(word) or _CLOTHES_SIZE.fullmatch(word):
        return set()
    ways = [(3, 1), (3, 2)] + ([(2, 1)] if len(word) >= _MIN_SQUEEZED_LENGTH else [])
    return {Syllable.of(_squeeze(letters, least, to)) for least, to in ways}


def squeezed_text(word: str) -> str:
    """Return a stretched word with single letters; runs of two count in words of at least four letters."""
    least = 2 if len(word) >= _MIN_SQUEEZED_LENGTH else 3
    return _REPEATED.sub(lambda run: run[1] if len(run[0]) >= least else run[0], word)


def _squeeze(letters: Sequence[Letter], least: int, to: int) -> list[Letter]:
    """Return the letters with runs of at least *least* equal ones cut to *to*; the last gets the marks of all."""
    squeezed: list[Letter] = []
    start = 0
    for end in range(1, len(letters) + 1):
        if end < len(letters) and letters[end].base == letters[start].base:
            continue
        run = letters[start:end]
        squeezed += [*run[: to - 1], _merged(run[to - 1 :])] if len(run) >= least else run
        start = end
    return squeezed


def _merged(run: Sequence[Letter]) -> Letter:
    tones = shape = 0
    for letter in run:
        tones |= letter.tones
        shape |= letter.shape
    return Letter(run[0].base, tones, shape)
