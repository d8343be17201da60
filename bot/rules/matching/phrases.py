"""Topic phrases of a message: consecutive words that may be its topic, with marks, abbreviations written out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from bot.logs import MASK
from bot.rules.language.common_words import COMMON_WORDS
from bot.rules.language.small_talk import PLEASANTRIES
from bot.rules.language.syllables import is_syllable
from bot.rules.language.text import Token, fold, normalise, plain, tokens, words_of
from bot.rules.matching.best_matches import types_marks
from bot.rules.matching.keywords import MessageWord
from bot.rules.matching.short_forms import meanings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.rules.language.abbreviations import Meaning

MAX_UNITS: Final = 5
"""The most units of a phrase: longer ones belong to a single message, not to a topic."""
_MAX_FUNCTION_WORDS: Final = 2
_FEWEST_MEANT: Final = 2
_CERTAIN_PERCENT: Final = 60

Kind = Literal["content", "question", "function", "noise"]
"""`noise`: particles, forms of address, numbers, never in a phrase. `function`: only in the middle of a phrase."""

_NOISE_WORDS: Final = """
ạ à á ơi ờ ừ ừm dạ vâng nhé nha nè nhỉ hả ha hen he hở đó đây vậy thế với luôn rồi ok oke shop sop sốp ad ads admin
bạn mình em anh chị cô chú bác cậu tôi tớ tui các mấy bên quán tiệm này kia ấy đấy cho
"""
_FUNCTION_WORDS: Final = """
hỏi xin xem giúp nhờ biết nói thấy nghe nhắn báo rep check cần tìm thì mà nếu trong ngoài trên dưới từ bằng hay hoặc
cùng nhau như theo thêm nhất hơn nó họ ta chúng hết hôm nay mai qua tính bị do nên vì vẫn đừng chắc hình đúng lúc khi
xong một bây nhiều ít loại cái con chiếc lần kiểu định lắm quá tầm khoảng gần
"""
_NOISE: Final = frozenset(_NOISE_WORDS.split())
_FUNCTION: Final = COMMON_WORDS | frozenset(_FUNCTION_WORDS.split())
_THANKS: Final = "cảm ơn"
_QUESTIONS: Final = (
    "bao nhiêu", "bao lâu", "bao giờ", "bao xa", "mấy giờ", "khi nào", "chừng nào", "thế nào", "như thế nào", "ở đâu",
    "chỗ nào", "đâu",
)  # fmt: skip
_PRICE: Final = "giá bao nhiêu"
_MEANS_PRICE: Final = frozenset({
    "gia", "gia bao nhieu", "bao nhieu", "bao nhieu tien", "gia the nao", "gia nhu the nao", "gia ca", "gia tien",
})  # fmt: skip


class Unit(NamedTuple):
    """A word of a message, or several that form one question (`bao nhiêu`)."""

    text: str
    """Normalised, abbreviations written out, with the marks that were typed."""
    letters: str
    kind: Kind
    is_spelled: bool
    """Whether the marks are known: typed, or the only possible ones."""


class Phrase(NamedTuple):
    """Consecutive words of a message that may be a topic."""

    letters: str
    """The words without marks, by which phrases of different messages are compared."""
    words: tuple[str, ...]
    """The words with marks; an empty word where the marks are unknown."""
    size: int
    """The number of units."""
    is_whole: bool
    """Whether it is a complete run of content words: a part of a longer run may be half a compound."""


@lru_cache(maxsize=16_384)
def topic_phrases(text: str) -> tuple[Phrase, ...]:
    """
    Return every phrase of a message that may be its topic, each once; the longest first.

    >>> [phrase.letters for phrase in topic_phrases("cho e xin hđ đỏ vs ạ")]
    ['hoa don do', 'hoa don', 'don do']
    """
    found = units(text)
    words = (unit.letters for unit in found if _is_meant(unit))
    if " ".join(words) in _MEANS_PRICE:
        return (_OF_PRICE,)
    phrases: dict[str, Phrase] = {}
    for size in range(min(MAX_UNITS, len(found)), 0, -1):
        for first in range(len(found) - size + 1):
            row = found[first : first + size]
            if _is_topic(row):
                beside = (*found[max(first - 1, 0) : first], *found[first + size : first + size + 1])
                phrase = _phrase(row, is_whole=all(map(_is_meant, row)) and not any(map(_is_meant, beside)))
                phrases.setdefault(phrase.letters, phrase)
    return tuple(phrases.values())


@lru_cache(maxsize=16_384)
def says_little(text: str) -> bool:
    """
    Return whether fewer than two words of a message have a meaning of their own, as in «ok shop» or «vậy hả».

    >>> says_little("dạ cảm ơn shop ạ"), says_little("bao nhiu v shop"), says_little("có giao về Huế không")
    (True, False, False)
    """
    if topic_phrases(text):
        return False
    return sum(map(_is_meant, units(text))) < _FEWEST_MEANT


def units(text: str) -> list[Unit]:
    """Return the units of a message: its words, abbreviations written out, questions of several words as one unit."""
    words = tokens(text)
    typed = [plain(normalise(text[word.start : word.end])) for word in words]
    has_marks = writer_types_marks(text)
    row: list[Unit] = []
    for number, word in enumerate(words):
        if number and _ENDS.search(text, words[number - 1].end, word.start):
            row.append(_END)
        row += _written_out(words, typed, number, has_marks=has_marks)
    return list(_with_questions(row))


def writer_types_marks(text: str) -> bool:
    """Return whether the text's writer types marks, so that a bare word is a word without marks."""
    words = tokens(text)
    return types_marks(MessageWord(normalise(text[word.start : word.end]), word.syllables) for word in words)


def _written_out(words: Sequence[Token], typed: Sequence[str], number: int, *, has_marks: bool) -> Iterator[Unit]:
    word, letters = typed[number], words[number].folded
    if any(character.isdigit() for character in letters):
        yield Unit(word, letters, "noise", is_spelled=True)
        return
    meaning = _meaning(words, number, _MEANINGS.get(word, ()))
    if meaning is not None:
        for part in words_of(meaning.text):
            yield Unit(part, fold(part), kind_of(part), is_spelled=True)
        return
    is_bare = word == letters
    yield Unit(word, letters, kind_of(word), not is_bare or has_marks or not is_syllable(letters))


def _meaning(words: Sequence[Token], number: int, meanings: Sequence[Meaning]) -> Meaning | None:
    """Return the meaning of an abbreviation here; None if the word is no abbreviation or may be an ordinary word."""
    before = words[number - 1].folded if number else ""
    after = words[number + 1].folded if number + 1 < len(words) else ""
    confirmed = next((m for m in meanings if before in m.before or after in m.after), None)
    if confirmed is not None or not meanings:
        return confirmed
    likely = meanings[0]
    may_be_word = is_syllable(words[number].folded)
    return likely if likely.is_certain or (likely.share >= _CERTAIN_PERCENT and not may_be_word) else None


def kind_of(word: str) -> Kind:
    """Return the kind of a normalised word; a word without marks counts as the everyday word that it may be."""
    letters = fold(word)
    is_bare = word == letters
    if word in _NOISE or letters in PLEASANTRIES or (is_bare and letters in _NOISE_LETTERS):
        return "noise"
    if word in _FUNCTION or (is_bare and letters in _FUNCTION_LETTERS):
        return "function"
    return "content"


def _with_questions(row: Sequence[Unit]) -> Iterator[Unit]:
    """Yield the units, with those of one question joined into one."""
    number = 0
    while number < len(row):
        question, size = next(
            (
                (question, size)
                for size in (3, 2, 1)
                for question in _BY_LETTERS.get(tuple(unit.letters for unit in row[number : number + size]), ())
                if _agrees(row[number : number + size], question)
            ),
            ("", 1),
        )
        yield _asking(question) if question else row[number]
        number += size


def _asking(question: str) -> Unit:
    """Return the unit of a question or of thanks; «nhiêu» is completed to «bao nhiêu»."""
    whole = "bao nhiêu" if question == "nhiêu" else question
    return Unit(whole, fold(whole), "noise" if question == _THANKS else "question", is_spelled=True)


def _agrees(row: Sequence[Unit], question: str) -> bool:
    """Return whether no typed mark contradicts the question; «dau» or «nhieu» alone without marks is ambiguous."""
    if len(row) == 1:
        return row[0].text == question
    return all(unit.text in {word, fold(word)} for unit, word in zip(row, question.split(), strict=True))


def _is_topic(row: Sequence[Unit]) -> bool:
    kinds = [unit.kind for unit in row]
    if len(row) > 1 and " ".join(unit.letters for unit in row) in _MEANS_PRICE:
        return True
    meant = sum(kind in {"content", "question"} for kind in kinds)
    return (
        "noise" not in kinds
        and "content" in kinds
        and kinds[0] == "content"
        and kinds[-1] != "function"
        and meant >= _FEWEST_MEANT
        and kinds.count("function") <= _MAX_FUNCTION_WORDS
    )


def _is_meant(unit: Unit) -> bool:
    return unit.kind in {"content", "question"}


def _phrase(row: Sequence[Unit], *, is_whole: bool) -> Phrase:
    letters = " ".join(unit.letters for unit in row)
    if letters in _MEANS_PRICE:
        return _OF_PRICE
    words = tuple(word if unit.is_spelled else "" for unit in row for word in unit.text.split())
    return Phrase(letters, words, len(row), is_whole)


def _by_letters(questions: Iterable[str]) -> Mapping[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], list[str]] = {}
    for question in questions:
        found.setdefault(tuple(map(fold, question.split())), []).append(question)
    return found


_ENDS: Final = re.compile(rf"[,.;:!?\n]|{re.escape(MASK)}")
_END: Final = Unit("", "", "noise", is_spelled=True)
_OF_PRICE: Final = Phrase(fold(_PRICE), tuple(_PRICE.split()), 2, is_whole=True)
_MEANINGS: Final = meanings_of({})
_NOISE_LETTERS: Final = frozenset(map(fold, _NOISE))
_FUNCTION_LETTERS: Final = frozenset(map(fold, _FUNCTION))
_BY_LETTERS: Final = _by_letters([*_QUESTIONS, "nhiêu", _THANKS])
