"""The corpus of real text, and the typing habits that its benchmark applies."""

from __future__ import annotations

import doctest
import random
import unicodedata
from collections import Counter
from types import ModuleType

import pytest

from bot.rules.engine import rank
from tests.support import keystrokes, typing_habits
from tests.support.keystrokes import telex, vni, without_marks
from tests.support.real_text import (
    keywords_of,
    rule_set,
    sentences,
    sentences_as_typed,
    sentences_without_answer,
    utterance,
)
from tests.support.typing_habits import HABITS, Utterance, short_forms, typed

PRICE = Utterance("Bảng giá bao nhiêu vậy shop?", 9, 18)


def apply(habit: str, text: str, keyword: str) -> set[str]:
    """Return all results of the habit for the sentence with many seeds."""
    start = text.index(keyword)
    spoken = Utterance(text, start, start + len(keyword))
    return {made for seed in range(300) if (made := HABITS[habit](random.Random(seed), spoken)) is not None}


def test_sentences_are_well_formed() -> None:
    """Every sentence is NFC, unique, and belongs to a rule of the file."""
    found = sentences()
    ids = set(keywords_of(rule_set()))
    assert len(found) >= 500
    assert {sentence.region for sentence in found} == {"Bắc", "Nam", "chung"}
    assert len({sentence.shop for sentence in found}) >= 8
    assert {sentence.intent for sentence in found} == ids
    assert all(sentence.text == unicodedata.normalize("NFC", sentence.text).strip() for sentence in found)
    assert [text for text, times in Counter(sentence.text.lower() for sentence in found).items() if times > 1] == []


def test_sentences_without_answer_are_well_formed() -> None:
    """Each is unique and not among the sentences that need an answer."""
    texts = [text.lower() for _, text in sentences_without_answer()]
    assert len(texts) >= 500
    assert len(set(texts)) == len(texts)
    assert not set(texts) & {sentence.text.lower() for sentence in sentences()}


def test_sentences_as_typed_are_well_formed() -> None:
    """Each is unique and belongs to a rule of the file."""
    found = sentences_as_typed()
    assert len(found) >= 150
    assert {intent for intent, _ in found} <= set(keywords_of(rule_set()))
    assert len({text.lower() for _, text in found}) == len(found)


def test_most_sentences_reach_their_rule_as_written() -> None:
    """Nine in ten with all their marks, as the baseline of the benchmark."""
    rules = rule_set()
    right = 0
    for sentence in sentences():
        winner = rank(rules, sentence.text).winner
        right += winner is not None and rules.file.rules[winner].id == sentence.intent
    assert right >= 0.9 * len(sentences())


def test_the_longest_keyword_of_a_sentence_is_used() -> None:
    """In any capitals, never inside a word."""
    spoken = utterance("Giá bao nhiêu một cái, giáp Tết", ["giá", "giá bao nhiêu", "tế"])
    assert spoken is not None
    assert spoken.keyword == "Giá bao nhiêu"
    assert utterance("giáp Tết", ["giá", "tế"]) is None


@pytest.mark.parametrize(
    ("word", "keys"),
    [
        ("giá", "gias"),
        ("nhiêu", "nhieeu"),
        ("được", "dduwowcj"),
        ("đổi", "ddooir"),
        ("Địa", "Ddiaj"),
        ("cửa", "cuwar"),
        ("đặt", "ddawtj"),
        ("mẫu", "maaux"),
        ("size", "size"),
    ],
)
def test_telex(word: str, keys: str) -> None:
    """The keys that produce the word when the input method is on."""
    assert telex(word) == keys


def test_other_ways_to_press_telex_and_vni() -> None:
    """The tone may follow its vowel, and one w or 7 is enough for ươ."""
    assert telex("được", one_w=True) == "dduowcj"
    assert telex("chuyển", tone_last=False) == "chuyeern"
    assert vni("được") == "d9u7o7c5"
    assert vni("đường", one_seven=True) == "d9uo7ng2"
    assert vni("khoản", tone_last=False) == "khoa3n"


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_is_deterministic(habit: str) -> None:
    """The seed is the habit, the sentence and the draw; more draws only add results."""
    few = typed(habit, PRICE)
    assert typed(habit, PRICE, 20)[: len(few)] == few
    assert typed(habit, PRICE, 20) == typed(habit, PRICE, 20)


@pytest.mark.parametrize(
    ("habit", "text", "keyword", "among"),
    [
        ("marks left out", "Đổi size", "Đổi size", {"Doi size"}),
        ("capitals", "đổi size", "đổi size", {"ĐỔI SIZE"}),
        ("tone on another vowel", "của", "của", {"cuả"}),
        ("tone on another vowel", "thích", "thích", set()),
        ("half the words bare", "đổi trả", "đổi trả", {"doi trả", "đổi tra"}),
        ("space lost in the keyword", "em hỏi bảng giá", "bảng giá", {"em hỏi bảnggiá"}),
        ("space lost in the keyword", "giá sao", "giá", set()),
        ("space lost anywhere", "bảng giá 5 cái", "bảng giá", {"bảnggiá 5 cái"}),
        ("hỏi and ngã swapped", "mở cửa", "mở cửa", {"mỡ cửa", "mở cữa"}),
        ("hỏi and ngã swapped", "giá", "giá", set()),
        ("raw Telex throughout", "giá áo", "giá", {"gias aos", "gias aso"}),
        ("number glued", "có size 38 không", "size", {"có size38 không"}),
        ("number glued", "có 2 màu gì", "màu gì", {"có 2màu gì"}),
        ("number glued", "mua 1 tặng 1 áo", "mua 1 tặng 1", {"mua 1tặng 1 áo", "mua 1 tặng1 áo"}),
        ("number glued", "em 2 lần hỏi size", "size", set()),
        ("short habits", "phòng", "phòng", {"phòg", "fòng"}),
        ("short habits", "địa lý", "lý", {"địa lí"}),
        ("short habits", "gửi hàng", "gửi hàng", {"gởi hàng", "gửj hàng", "gửi hàg"}),
    ],
)
def test_the_results_of_each_habit(habit: str, text: str, keyword: str, among: set[str]) -> None:
    """All results for a sentence, and none if nothing can change."""
    assert apply(habit, text, keyword) == among


def test_a_typo_is_one_mistake_in_a_long_word_of_the_keyword() -> None:
    """Short words and the words around the keyword stay."""
    made = apply("typo in a word of 5 letters", "nhưng giá bao nhiêu", "giá bao nhiêu")
    assert {"nhưng giá bao nhiu", "nhưng giá bao nhiue", "nhưng giá bao nhiêi"} & made
    for text in made:
        assert text.startswith("nhưng giá bao ")
        assert text != "nhưng giá bao nhiêu"
        assert abs(len(text.split()[-1]) - len("nhiêu")) <= 1


def test_teencode_replaces_only_words_of_the_keyword() -> None:
    """With forms that the table lists for the word or phrase."""
    made = apply("teencode in the keyword", "không biết số tài khoản", "số tài khoản")
    assert {"không biết stk", "không biết số tk"} <= made
    assert all(text.startswith("không biết ") for text in made)


def test_short_forms_differ_from_their_meaning() -> None:
    """The table has each form of a meaning once."""
    for meaning, forms in short_forms().items():
        names = [form for form, _ in forms]
        assert meaning not in names
        assert len(set(names)) == len(names)


def test_stretching_repeats_the_last_letter() -> None:
    """With its marks or without."""
    made = apply("keyword word stretched", "giá", "giá")
    assert made == {"giá" + letter * times for letter in "aá" for times in (2, 3, 4)}


def test_leaving_out_marks_keeps_the_letters() -> None:
    """Every letter stays as its base."""
    for sentence in sentences():
        bare = without_marks(sentence.text)
        assert len(bare) == len(sentence.text)
        assert bare.isascii()


@pytest.mark.parametrize("module", [keystrokes, typing_habits])
def test_examples_of_the_helpers(module: ModuleType) -> None:
    """The examples in their docstrings hold."""
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
