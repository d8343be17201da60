"""Unmatched messages: grouping, counts, redaction, topics and suggestions."""

from __future__ import annotations

import re
import time
import unicodedata
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.analysis.topics import Question, Topic, group_by_words, split_ignored
from bot.analysis.unmatched import Gap, find_gaps, unanswered_questions, unanswered_topics
from bot.inbox.messages import MAX_TOPIC_CHARACTERS, Message
from bot.logs import MASK, redact, single_line
from bot.rules.engine import RuleSet, compile_rules
from bot.rules.explain_text import obstacles
from bot.rules.language.text import fold
from bot.rules.model.schema import RuleFile
from bot.rules.validate import validate
from tests.support.clock import NOW

NO_RULES = compile_rules(RuleFile(rules=()), digest="")


def asked(*texts: str, users: str = "abcdefghijklmnop") -> list[Question]:
    """Group the texts, newest first, each from a different user."""
    messages = [
        Message(n, text, "oa1", user, NOW, None) for n, (text, user) in enumerate(zip(texts, users, strict=False))
    ]
    return list(unanswered_questions(group_by_words(messages), NO_RULES, now=NOW))


def rules(*keywords: str, more: str = "") -> RuleSet:
    words = ", ".join(keywords)
    data = f'rules: [{{id: a, keywords: [{words}], reply: {{image_url: "https://a.example/1.jpg"}}{more}}}]'
    verdict = validate(data.encode(), today=date(2026, 9, 1))
    assert verdict.rules, verdict.problems
    return verdict.rules


@pytest.mark.parametrize(
    "texts",
    [
        ["Ship về Huế không?", "ship ve hue khong", "SHIP VỀ HUẾ KHÔNG!!!", "ship  về\nhuế, không ạ".replace(" ạ", "")],
        ["gọi 0912345678 nhé", "gọi 0987.654.321 nhé", "goi +84 912 345 678 nhe"],
        ["xem https://a.example/1 nha", "xem nha"],
        ["👍", "👍 ", " 👍"],
        ["???", "? ? ?"],
    ],
)
def test_spellings_of_one_question_are_grouped(texts: list[str]) -> None:
    """Marks, capitals, signs, numbers and links make no difference."""
    [question] = asked(*texts)
    assert question.times == question.people == len(texts)


def test_other_words_are_another_question() -> None:
    """One different letter is enough."""
    assert len(asked("ship về huế", "ship về huể ạ", "👍", "👎", "0912345678", "199k")) == 6


def test_questions_are_sorted_by_people_before_messages() -> None:
    """One customer who asks ten times is one customer."""
    questions = asked("một", "một", "một", "hai", "hai", "ba", users="aaabcd")
    assert [(q.text, q.people, q.times) for q in questions] == [("hai", 2, 2), ("một", 1, 3), ("ba", 1, 1)]


def test_the_typical_spelling_is_the_most_frequent_with_marks() -> None:
    """It is copied as a keyword."""
    assert asked("gia bao nhieu", "gia bao nhieu", "Giá bao nhiêu?", "giá bao nhieu")[0].text == "Giá bao nhiêu?"
    assert asked("giá bao nhiêu", "giá bao nhieu", "giá bao nhieu")[0].text == "giá bao nhieu"
    assert asked("gia bao nhieu", "Gia bao nhieu", "gia bao nhieu")[0].text == "gia bao nhieu"


def test_the_other_spellings_are_listed() -> None:
    """The most frequent first, masked, up to a limit."""
    [question] = asked("ship khong", "ship không?", "ship không?", "SHIP KHONG 0912345678")
    assert (question.text, question.variants) == ("ship không?", ("ship khong", "SHIP KHONG •••"))
    [question] = asked(*(f"ship {'!' * n}" for n in range(16)))
    assert len(question.variants) == 8
    assert question.text not in question.variants


def missing(*texts: str, of: RuleSet) -> list[Gap]:
    """Return the gaps that the texts, newest first, show in the rules."""
    return find_gaps(topics(*texts, of=of), of, now=NOW)


def topics(*texts: str, of: RuleSet = NO_RULES) -> list[Topic]:
    """Return the topics of the texts, newest first, each from a different user."""
    messages = [Message(n, text, "oa1", f"u{n}", NOW, None) for n, text in enumerate(texts)]
    return list(unanswered_topics(group_by_words(messages), of, now=NOW))


@pytest.mark.parametrize(
    "texts",
    [
        ["giá nhiêu", "gia bn", "bao nhiu v shop", "xin giá ạ", "váy này giá bao nhiêu vậy"],
        ["bên mình có xuất hóa đơn đỏ không", "cho e xin hđ vs ạ, gửi hđ qua mail", "xuat hoa don cty dc ko shop"],
        ["có chỗ gửi xe hơi không", "cho mình hỏi gửi xe ở đâu"],
    ],
)
def test_messages_with_the_same_phrase_are_one_topic(texts: list[str]) -> None:
    """Particles, «shop» and abbreviations around it make no difference."""
    [topic] = topics(*texts)
    assert topic.question.people == len(texts)


def test_topics_count_people_and_each_message_once() -> None:
    """The phrase of most people becomes the first topic; the other messages form the next topics."""
    first, second = topics("giao hàng nhanh", "giao hàng ở huế", "đổi hàng lỗi", "giao hàng lỗi")
    assert (first.key, first.question.people) == ("giao hang", 3)
    assert second.question.text == "đổi hàng lỗi"
    messages = [Message(n, "gửi xe ở đâu", "oa1", "the same", NOW, None) for n in range(3)]
    [topic] = unanswered_topics(group_by_words(messages), NO_RULES, now=NOW)
    assert (topic.question.people, topic.question.times) == (1, 3)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (["có tuyển nhân viên không"], ["tuyen nhan vien ko shop", "quán tuyển nhân viên part time hả"]),
        (["tuyển nhân viên không", "tuyen nhan vien k ạ"], ["tuyển nhân viên bán hàng"] * 3),
        (["giá nhiêu", "bao nhiu v shop"], ["xin giá ạ", "gia bn"]),
        (["bạn kết nối " + "lung linh " * 60], ["bạn kết nối " + "lung linh " * 60 + "!!!"]),
    ],
)
def test_an_ignored_topic_stays_ignored_when_more_people_ask(first: list[str], later: list[str]) -> None:
    """By the name it had when only the first had asked; other topics stay."""
    [topic] = topics(*first)
    assert 0 < len(topic.name) <= MAX_TOPIC_CHARACTERS
    texts = [*later, *first, "đổi hàng lỗi"]
    messages = [Message(n, text, "oa1", f"u{n}", NOW, None) for n, text in enumerate(texts)]
    left, ignored = split_ignored(group_by_words(messages), [topic.name, "hoa don"])
    assert [group.typical for group in left] == ["đổi hàng lỗi"]
    assert sum(len(group.messages) for group in ignored[topic.name]) == len(texts) - 1
    assert ignored["hoa don"] == []


@given(
    st.lists(
        st.one_of(st.sampled_from(["ship về Huế không", "👍", "gửi xe ở đâu", "áo này"]), st.text(max_size=60)),
        min_size=1,
        max_size=5,
    )
)
@example(["\U0001f3fb"])
def test_ignoring_a_topic_removes_all_its_messages(texts: list[str]) -> None:
    """For any messages."""
    messages = [Message(n, text, "oa1", f"u{n}", NOW, None) for n, text in enumerate(texts)]
    groups = group_by_words(messages)
    for topic in unanswered_topics(groups, NO_RULES, now=NOW):
        _left, ignored = split_ignored(groups, [topic.name])
        assert set(topic.messages) <= {message for group in ignored[topic.name] for message in group.messages}
        assert bool(topic.label) == bool(topic.name) == bool(fold(topic.question.text).split())


def test_the_label_of_an_ignored_topic_has_marks() -> None:
    """As far as anybody typed them."""
    [topic] = topics("có tuyển nhân viên không", "tuyen nhan vien ko shop")
    assert (topic.name, topic.label) == ("tuyen nhan vien", "tuyển nhân viên")
    [bare] = topics("tuyen nhan vien ko shop")
    assert bare.label == "tuyen nhan vien"


def test_the_messages_that_a_suggestion_answers_are_counted() -> None:
    """Those of the topic that have its keyword; one is shown."""
    [gap] = missing("bao nhiu v shop", "giá bn vậy", "giá bao nhiêu", of=rules("đổi trả"))
    [advice] = gap.advice
    assert (advice.suggestion.keyword, advice.wins) == ("giá bao nhiêu", 2)
    assert advice.example in {"giá bn vậy", "giá bao nhiêu"}


def test_a_keyword_has_the_marks_of_most_writers() -> None:
    """If nobody typed marks, there is no suggestion."""
    [gap] = missing("xuat hoa don ko", "xuat hoa don dum e", "xuất hóa đơn nha", of=rules("bảng giá"))
    assert [advice.suggestion.keyword for advice in gap.advice] == ["xuất hóa đơn"]
    [gap] = missing("xuat hoa don ko", of=rules("bảng giá"))
    assert gap.advice == ()


def test_no_suggestion_takes_a_message_that_a_rule_answers() -> None:
    """Existing answers are worth more than possible ones."""
    known = rules("hóa đơn")
    asked_for = topics("xuất hóa đơn đỏ", of=NO_RULES)
    answered = [Message(9, "cho xin xuất hóa đơn đỏ", "oa1", "u", NOW, "a")]
    assert find_gaps(asked_for, rules("bảng giá"), now=NOW)[0].advice
    assert not find_gaps(asked_for, known, now=NOW, answered=answered)[0].advice


def test_a_gap_has_the_nearest_rule_and_suggestions() -> None:
    """For that rule, and for a new rule as an alternative."""
    [gap] = missing("mấy giờ tiệm mở cửa", of=rules("mấy giờ mở cửa"))
    assert list(obstacles(gap.explanation, "en")) == [("a", '"tiệm" stands inside the keyword "mấy giờ mở cửa"')]
    assert [(advice.suggestion.rule_id, advice.suggestion.is_new) for advice in gap.advice] == [
        ("a", False),
        ("mo-cua", True),
    ]
    [gap] = missing("tuyển người", of=rules("bảng giá"))
    assert [(advice.suggestion.rule_id, advice.suggestion.is_new) for advice in gap.advice] == [("tuyen-nguoi", True)]


def test_only_the_first_of_several_gaps_has_advice_for_a_rule() -> None:
    """If both were pasted, the second would undo the first."""
    first, second = missing("bàng giá", "bảng nha giá", of=rules("bảng giá"))
    assert (len(first.advice), first.follows) == (1, False)
    assert (second.advice, second.follows) == ((), True)


def test_masked_text_is_not_part_of_a_keyword() -> None:
    """The real message has a number there, which separates the words around it."""
    [gap] = missing("gọi 0912345678 đặt bàn", of=rules("bảng giá"))
    assert "[đặt bàn]" in gap.advice[0].suggestion.yaml
    [gap] = missing("0912345678", of=rules("bảng giá"))
    assert (gap.advice, gap.follows) == ((), False)


def test_messages_that_the_present_rules_answer_are_left_out() -> None:
    """The rules may have changed since; a rule for another OA or time is no answer."""
    messages = [Message(n, t, "oa1", f"u{n}", NOW, None) for n, t in enumerate(["giá bao nhiêu", "ship nhanh không"])]

    def left(of: RuleSet) -> list[str]:
        return [topic.question.text for topic in unanswered_topics(group_by_words(messages), of, now=NOW)]

    assert sorted(left(rules("bảng giá"))) == ["giá bao nhiêu", "ship nhanh không"]
    assert left(rules("giá")) == ["ship nhanh không"]
    assert len(left(rules("giá", more=', oa: ["123456"]'))) == 2
    assert len(left(rules("giá", more=", active: {until: 2026-09-01}"))) == 2


@pytest.mark.parametrize(
    "text",
    [
        "0912345678", "0912 345 678", "091.234.5678", "091-234-56-78", "(028) 3822 1234", "+84 (0) 912 345 678",
        "0 9 1 2 3 4 5 6 7 8", "0912_345_678", "0912/345/678", "0️⃣9️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "０９１２３４５６７８",
        "٠٩١٢٣٤٥٦٧٨", "⓪⑨①②③④⑤⑥⑦⑧", "09\u200b12\u200b34\u200b56\u200b78", "stk 1903 6521 4470 11",
        "cccd 079201001234", "09 12\n34 56\n78", "0912345678!", "zalo:0912345678nha", "0912 - 345 - 678",
    ],
)  # fmt: skip
def test_long_numbers_are_masked(text: str) -> None:
    """In any spelling."""
    shown = redact(f"gọi {text} nhé")
    assert MASK in shown
    assert sum(character.isnumeric() for character in shown) == 0
    assert (shown.split()[0], "nhé" in shown or "nha" in shown) == ("gọi", True)


@pytest.mark.parametrize(
    "text",
    ["na@shop.example", "Na.Tran+1@mail.shop.example", "na @ shop.example", "na@shop", "(na@shop.example)", "＠na"],
)
def test_addresses_are_masked(text: str) -> None:
    """Also with spaces, or only half of one."""
    shown = redact(f"gửi {text} nhé")
    assert "@" not in shown
    assert "na" not in shown.casefold()
    assert shown.startswith("gửi ")
    assert shown.endswith(" nhé")


@pytest.mark.parametrize(
    "text", ["2 ly 150.000đ", "size 38 39 40", "lúc 8:30", "mã SP001", "20/11", "x2 combo 3", "50%"]
)
def test_prices_sizes_and_times_are_not_masked(text: str) -> None:
    """Editors need them."""
    assert redact(text) == text


_LETTERS = st.text(st.characters(categories=["Lu", "Ll", "Lo"]), max_size=12)
_GAPS = st.text(st.sampled_from(" .-–_/()\u00a0\u200b*"), max_size=3)


@given(before=_LETTERS, after=_LETTERS, phone=st.from_regex(r"0[0-9]{8,10}", fullmatch=True), data=st.data())
def test_every_telephone_number_is_masked(before: str, after: str, phone: str, data: st.DataObject) -> None:
    """With any text around it and between its digits."""
    written = "".join(digit + data.draw(_GAPS) for digit in phone)
    shown = redact(f"{before} {written} {after}")
    assert MASK in shown
    assert not any(
        character.isdigit() for character in shown.replace(unicodedata.normalize("NFKC", before + after), "")
    )


@given(st.text(max_size=300))
def test_any_text_becomes_one_harmless_line(text: str) -> None:
    """No control or direction characters, no lone surrogates, no seven digits in a row, no address."""
    shown = redact(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert not re.search(r"\d{7}", shown)
    assert "@" not in shown
    assert shown == " ".join(shown.split())
    shown.encode()


def test_no_text_takes_long_to_mask() -> None:
    """Texts of the greatest length that Zalo delivers, made to be slow."""
    begun = time.process_time()
    for text in (
        "0" * 250_000,
        "a" * 250_000,
        "a.@" * 90_000,
        "1 -_- " * 50_000,
        "a\u0301\u0323" * 90_000,
        "\ufdfa" * 9000,
    ):
        redact(text)
    assert time.process_time() - begun < 5


def test_untrusted_text_cannot_control_the_terminal() -> None:
    """No escape sequences, line ends or direction marks."""
    assert single_line("HTTP 400\r\n\x1b[2J\x9b31m\u202eabc\u2028d\x00") == "HTTP 400 [2J31mabc d"
