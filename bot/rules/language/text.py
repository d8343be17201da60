"""Normalise a message (NFKC, case, invisible characters), cut it into words and syllables, compare their marks."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_LENGTH: Final = 2_500
"""Characters of a message that are read; Zalo itself takes about 2,000."""

# Zero-width and direction characters, fillers, variation selectors, the keycap, skin tones, tags.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff"
    "\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff"
)
_DELETED = re.compile(f"[{_INVISIBLE}]+")
_UNUSUAL = re.compile(f"[{_INVISIBLE}\u0300-\u036fðɖı]")  # characters that casefold and NFKC do not unify
_MAYBE_MARKS = re.compile(r"[^\w\s\x00-\u02ff]{5,}")
_MAX_MARKS_IN_A_ROW = 4
_MAX_PASSES = 4

_TONES = {"\u0300": 1, "\u0301": 2, "\u0303": 4, "\u0309": 8, "\u0323": 16}
_TONE_BITS = 5
_HOOK_OR_TILDE = _TONES["\u0303"] | _TONES["\u0309"]
_HORN = 3
_SHAPES = {"\u0302": 1, "\u0306": 2, "\u031b": _HORN}  # circumflex, breve, horn
_SHAPE_BITS = 2

# Chinese and kana are written without spaces: each character is a word.
_LONE = "\u3005-\u9fff\U00020000-\U0003ffff"
# Combining marks inside words, which `\w` excludes: Latin, Cyrillic, Arabic, Indic, Thai, Lao, Burmese, Khmer.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0981-\u0983\u09bc-\u09d7\u0b82-\u0bd7"
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u17b4-\u17d3\u1ab0-\u1aff\u1dc0-\u1dff"
)
_LETTER = r"[^\W\d_]"
# Characters that do not end a word: a mark, the apostrophe of don't, the full stop of 199.000.
_JOINT = rf"[{_MARKS}'’.,](?:(?<=[{_MARKS}])|(?<={_LETTER}['’])(?={_LETTER})|(?<=\d[.,])(?=\d{{3}}(?!\d)))"
WORDS: Final = re.compile(rf"[^\W_{_LONE}]++(?:{_JOINT}[^\W_{_LONE}]*+)*+|(?=\w)[{_LONE}]")
WORDS_AND_SIGNS: Final = re.compile(WORDS.pattern + r"|[^\w\s]")
_URL = re.compile(r"(?:https?://|www\.)\S+")
_JOINERS = str.maketrans("", "", "'’ʼ.,/")
_DIGITS_OR_NOT = re.compile(r"\d+|\D+")
_MAX_REMEMBERED_LENGTH = 16  # letters; longer words hardly ever recur


def normalise(text: str) -> str:
    """
    Return *text* in the form that is compared: NFKC, lower case, nothing invisible, at most MAX_LENGTH long.

    Marks, spaces and punctuation stay. Any string is accepted, lone surrogates included.

    >>> normalise("BẢNG\\u200b Giá")
    'bảng giá'
    """
    text = text[:MAX_LENGTH]
    if text.isascii():
        return text.lower()
    folded = text.casefold()[:MAX_LENGTH]
    if not _UNUSUAL.search(folded) and unicodedata.is_normalized("NFKC", folded):
        return folded
    for _ in range(_MAX_PASSES):
        before, text = text, _normalise_once(text)
        if text == before:
            break
    return text


def _normalise_once(text: str) -> str:
    text = _DELETED.sub("", text)
    text = _MAYBE_MARKS.sub(_shorten, text)
    text = unicodedata.normalize("NFKC", text)[:MAX_LENGTH]
    text = unicodedata.normalize("NFC", text.casefold())[:MAX_LENGTH]
    # Some keyboards type eth for đ; Turkish has a dotted and a dotless i.
    return text.replace("ð", "đ").replace("ɖ", "đ").replace("ı", "i").replace("i\u0307", "i")


def _shorten(run: re.Match[str]) -> str:
    """Return the run cut to four combining marks: reordering thousands of them takes seconds."""
    kept: list[str] = []
    marks = 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MAX_MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)


def fold(text: str) -> str:
    """
    Return *text* normalised and without marks on Latin letters: the text that `pattern` is matched against.

    >>> fold("Đặt hàng ở đâu?")
    'dat hang o dau?'
    """
    return "".join(letter for letter, _, _ in letters_of(normalise(text)))


def without_urls(normalised: str) -> str:
    """Return the text with every URL replaced by as many spaces."""
    if "://" in normalised or "www." in normalised:
        return _URL.sub(lambda url: " " * len(url[0]), normalised)
    return normalised


class Letter(NamedTuple):
    """A letter without its marks, the set of its tones, and its shape (circumflex, breve, horn; đ)."""

    base: str
    tones: int
    shape: int


@lru_cache(maxsize=4096)
def _letter(character: str) -> Letter:
    if character == "đ":
        return Letter("d", 0, 1)
    if not _is_latin(character):
        return Letter(character, 0, 0)
    decomposed = unicodedata.normalize("NFD", character)
    return _marked(Letter(decomposed[0], 0, 0), decomposed[1:])


def _marked(letter: Letter, marks: Iterable[str]) -> Letter:
    """Return the letter with additional marks; marks unknown to Vietnamese are ignored."""
    base, tones, shape = letter
    for mark in marks:
        tones |= _TONES.get(mark, 0)
        shape |= _SHAPES.get(mark, 0)
    return Letter(base, tones, shape)


def _is_latin(character: str) -> bool:
    return character < "\u0250" or "\u1e00" <= character <= "\u1eff"


def letters_of(normalised: str) -> list[Letter]:
    """Return the characters of normalised text, with the marks of Latin letters separated."""
    letters: list[Letter] = []
    latin = -1  # the letter that the marks belong to
    for character in normalised:
        if latin >= 0 and "\u0300" <= character <= "\u036f":
            letters[latin] = _marked(letters[latin], character)
            continue
        if character < "\u0250":
            latin = len(letters)
        elif not unicodedata.combining(character):
            latin = len(letters) if _is_latin(character) else -1
        letters.append(_letter(character))
    return letters


@dataclass(frozen=True, slots=True)
class Syllable:
    """
    Letters without marks, and the marks as a bit field, so that comparing two syllables takes two operations.

    Five bits are the set of tones, on whichever letter (``gía`` is ``giá``), then two bits the shape of each letter.
    *typed* is the mask of the marks that the sender typed: there a keyword must agree.
    """

    letters: str
    marks: int
    typed: int
    bits: int = field(init=False, repr=False, compare=False)
    """The width of *marks*."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "bits", _TONE_BITS + _SHAPE_BITS * len(self.letters))

    @classmethod
    def of(cls, letters: Sequence[Letter]) -> Syllable:
        """Return the syllable of these letters; one with two tones matches no other."""
        base = "".join([letter.base for letter in letters])
        if "uo" in base:
            letters = _with_both_horns(letters, base.index("uo"))
        tones = shapes = typed = 0
        for place, (_, tone, shape) in enumerate(letters):
            tones |= tone
            if shape:
                shapes |= shape << _SHAPE_BITS * place
                typed |= 0b11 << _SHAPE_BITS * place
        every_tone = (1 << _TONE_BITS) - 1 if tones else 0
        return cls(base, shapes << _TONE_BITS | tones, typed << _TONE_BITS | every_tone)

    def bare_shapes(self, letters: str) -> Syllable:
        """Return a syllable of other letters with this one's tone, for respellings that move letters."""
        tones = (1 << _TONE_BITS) - 1
        return Syllable(letters, self.marks & tones, self.typed & tones)


def _with_both_horns(letters: Sequence[Letter], at: int) -> Sequence[Letter]:
    """Return the letters with ``uơ`` or ``ưo`` before another letter as ``ươ``: no syllable has the others."""
    u, o = letters[at : at + 2]
    if at + 2 == len(letters) or {u.shape, o.shape} != {0, _HORN}:
        return letters
    return [*letters[:at], u._replace(shape=_HORN), o._replace(shape=_HORN), *letters[at + 2 :]]


def chain(syllables: Iterable[Syllable]) -> tuple[int, int]:
    """Return the marks and the masks of typed marks of several syllables, packed into two numbers."""
    marks = typed = 0
    for syllable in syllables:
        marks = marks << syllable.bits | syllable.marks
        typed = typed << syllable.bits | syllable.typed
    return marks, typed


def hook_or_tilde(syllables: Iterable[Syllable]) -> int:
    """Return, packed as by `chain`, the mask of both tones for each syllable with hỏi or ngã."""
    mask = 0
    for syllable in syllables:
        mask = mask << syllable.bits | (_HOOK_OR_TILDE if syllable.marks & _HOOK_OR_TILDE else 0)
    return mask


class Fit(IntEnum):
    """How the marks of a typed syllable compare with those of a keyword's syllable with the same letters."""

    NO = 0  # another word: other letters, or a typed mark that the keyword lacks
    LOOSE = 1  # marks are omitted, none contradicts
    EXACT = 2


def compat(typed: Syllable, keyword: Syllable) -> Fit:
    """
    Return whether *typed* can mean *keyword*: marks may be omitted, never contradicted.

    >>> [compat(syllables(word)[0], syllables("giá")[0]).name for word in ("giá", "gia", "già", "gai")]
    ['EXACT', 'LOOSE', 'NO', 'NO']
    """
    if typed.letters != keyword.letters or (typed.marks ^ keyword.marks) & typed.typed:
        return Fit.NO
    return Fit.EXACT if typed.marks == keyword.marks else Fit.LOOSE


def plain(word: str) -> str:
    """Return a word without apostrophes, thousands separators and the signs inside abbreviations (đ/c)."""
    return word if word.isalnum() else word.translate(_JOINERS)


def words_of(text: str) -> list[str]:
    """Return the words of *text*, each normalised."""
    return WORDS.findall(normalise(text))


def syllables(word: str) -> tuple[Syllable, ...]:
    """
    Return the syllables of one normalised word: it is cut where letters meet digits.

    >>> [syllable.letters for syllable in syllables("sp001")]
    ['sp', '001']
    """
    return _remembered(word) if len(word) <= _MAX_REMEMBERED_LENGTH else _cut(word)


def _cut(word: str) -> tuple[Syllable, ...]:
    return tuple(Syllable.of(letters_of(part)) for part in _DIGITS_OR_NOT.findall(plain(word)))


_remembered = lru_cache(maxsize=8192)(_cut)  # the language has about 7,000


class SourceMap:
    """Maps the characters of a normalised text to the text as typed."""

    __slots__ = ("_places", "_whole")

    def __init__(self, text: str, normalised: str) -> None:
        self._whole = (0, len(text))
        text = text[:MAX_LENGTH]
        self._places: list[tuple[int, int]] | None = None
        as_typed = len(text) == len(normalised) and (text.isascii() or text.casefold() == normalised)
        if not as_typed:
            self._places = _places(text, normalised)

    def spans(self, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the span (end exclusive) in the typed text of each span of the normalised text."""
        places = self._places
        if places is None:
            return spans
        return [(places[start][0], places[end - 1][1]) if places else self._whole for start, end in spans]


def _places(text: str, normalised: str) -> list[tuple[int, int]]:
    """Return the origin of each character; empty if it cannot be determined."""
    starts = [i for i, character in enumerate(text) if not (i and _continues(character))]
    places: list[tuple[int, int]] = []
    pieces: list[str] = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        piece = _normalised_piece(text[start:end])
        pieces.append(piece)
        places += [(start, end)] * len(piece)
    return places[: len(normalised)] if "".join(pieces)[:MAX_LENGTH] == normalised else []


_normalised_piece = lru_cache(maxsize=4096)(normalise)


def _continues(character: str) -> bool:
    """Return whether normalisation merges the character into the one before it."""
    return bool(unicodedata.combining(character) or "\u1161" <= character <= "\u11ff" or _DELETED.match(character))


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text: its letters without marks, its place in the text as typed, and its syllables."""

    folded: str
    start: int
    end: int
    syllables: tuple[Syllable, ...]


def tokens(text: str) -> tuple[Token, ...]:
    """
    Return the words of *text*, without URLs, punctuation, emoji and other signs.

    >>> [token.folded for token in tokens("Giá 199.000đ?")]
    ['gia', '199000d']
    """
    normalised = normalise(text)
    found = list(WORDS.finditer(without_urls(normalised)))
    spans = SourceMap(text, normalised).spans([match.span() for match in found])
    return tuple(_token(match[0], *span) for match, span in zip(found, spans, strict=True))


def _token(word: str, start: int, end: int) -> Token:
    parts = syllables(word)
    return Token("".join(part.letters for part in parts), start, end, parts)
