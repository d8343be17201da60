"""Explanations of answers."""

from __future__ import annotations

import string
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot
from bot.i18n import Language
from bot.rules import explain_text as sentences
from bot.rules.engine import Incoming, RuleSet, decide
from bot.rules.explain import Explanation, explain, shares
from bot.rules.suggest import Suggestion
from bot.rules.validate import validate
from bot.zalo import EVENT_KINDS
from tests.support.golden import LANGS

SAMPLE = (Path(bot.__file__).parent / "rules" / "starters" / "tiem-banh.yaml").read_bytes()
TODAY = date(2027, 1, 25)

SHOP = """
version: 1
abbreviations: {bsn: bánh sinh nhật}
rules:
  - id: bang-gia
    keywords: [bảng giá, giá bao nhiêu, giá]
    exclude: [đánh giá]
    cooldown: 10m
    reply: {image_url: "https://shop.example/gia.jpg"}
  - id: menu
    keywords: [{text: thực đơn, match: prefix}, {text: menu, match: exact}, khuyến mãi]
    reply: {image_url: "https://shop.example/menu.jpg"}
  - id: doi-tra
    keywords: [đổi trả]
    priority: 10
    reply: {image_url: "https://shop.example/doi-tra.jpg"}
  - id: dat-banh
    all_of: [[đặt, order], [bánh kem, bánh sinh nhật]]
    reply: {image_url: "https://shop.example/dat.jpg"}
  - id: ma
    pattern: '\\bkm ?[0-9]+\\b'
    reply: {image_url: "https://shop.example/ma.jpg"}
  - id: tet
    keywords: [quà tết]
    active: {from: 2027-01-20, until: 2027-02-20, days: [mon, tue, wed, thu, fri], hours: "08:00-21:30"}
    reply: {image_url: "https://shop.example/tet.jpg"}
  - id: chi-nhanh
    keywords: [chi nhánh]
    oa: ["111"]
    reply: {image_url: "https://shop.example/chi-nhanh.jpg"}
  - id: tat
    enabled: false
    keywords: [bảng màu, giá]
    reply: {image_url: "https://shop.example/mau.jpg"}
  - id: nhan-dan
    on: sticker
    active: {from: 2026-01-01}
    reply:
      one_of:
        - {image_url: "https://shop.example/1.jpg", weight: 3}
        - {image_url: "https://shop.example/2.jpg"}
  - id: nhan-dan-2
    on: sticker
    active: {from: 2026-01-02}
    reply: [{image_url: "https://shop.example/3.jpg"}, {image_url: "https://shop.example/4.jpg"}]
  - id: nhan-dan-3
    on: sticker
    priority: -1
    reply: {image_url: "https://shop.example/5.jpg"}
fallback:
  reply: {image_url: "https://shop.example/huong-dan.jpg"}
  every: 24h
"""


def rules_of(yaml: str) -> RuleSet:
    """Return the rules of a file without errors."""
    verdict = validate(yaml.encode(), today=TODAY)
    assert verdict.rules, [problem.message("en") for problem in verdict.problems]
    return verdict.rules


RULES = rules_of(SHOP)
SAMPLE_RULES = rules_of(SAMPLE.decode())


def at(moment: str) -> float:
    """Return a time in Vietnam in seconds since 1970."""
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")).timestamp()


NOON = at("2027-01-25 12:00")  # a Monday


def ask(text: str, **more: object) -> Explanation:
    """Explain a message to the shop at noon."""
    return explain(RULES, text, **({"now": NOON} | more))  # type: ignore[arg-type]


def small(*rules: str) -> RuleSet:
    """Return rules a, b, c… from their `keywords` lines."""
    items = (
        f'  - id: {name}\n    {rule}\n    reply: {{image_url: "https://shop.example/{name}.jpg"}}\n'
        for name, rule in zip(string.ascii_lowercase, rules, strict=False)
    )
    return rules_of("version: 1\nrules:\n" + "".join(items))


def test_the_winner_and_its_words() -> None:
    """The words of the message that matched are marked."""
    found = ask("Cho mình xin bang  gia với")
    assert found.winner
    assert found.winner.rule.id == "bang-gia"
    assert list(found.pieces()) == [("Cho mình xin ", False), ("bang  gia", True), (" với", False)]
    assert found.reply == found.winner.rule.reply
    assert found.cooldown == timedelta(minutes=10)
    assert found.suggestion is None


def test_words_of_each_group_are_marked() -> None:
    """A rule with `all_of` matches in several places."""
    found = ask("đặt 1 cái bánh kem, order bsn")
    assert [piece for piece, matched in found.pieces() if matched] == ["đặt", "bsn"]


def test_overlapping_words_are_marked_once() -> None:
    """Two groups may match the same word."""
    found = explain(small("all_of: [[bánh kem], [kem dâu]]"), "lấy bánh kem dâu nhé")
    assert list(found.pieces()) == [("lấy ", False), ("bánh kem dâu", True), (" nhé", False)]


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("gia bn v ad", "gia bao nhiêu vậy admin"),
        ("order BSN", "order bánh sinh nhật"),
        ("khuyeen maix", "khuyến mãi"),
        ("khuyenmai", "khuyến mãi"),
        ("khuyẽn mãii ko", "khuyẽn mãii không"),
        ("đổiiii trả", "đổi trả"),
        ("đôỉ trả, stk dc ko", "đôỉ trả, số tài khoản được không"),
        ("GIÁ", "giá"),
    ],
)
def test_the_understood_text(text: str, understood: str) -> None:
    """Abbreviations are written out and typos corrected; marks stay as typed."""
    assert ask(text).understood == understood


@pytest.mark.parametrize(
    ("text", "reread"),
    [("Bảng GIÁ??", False), ("giá ❤️", False), ("gia\u0301", False), ("ｇｉá", True), ("gia bn", True)],
)
def test_the_understood_text_is_reported_only_if_it_differs(text: str, reread: bool) -> None:
    """Capitals, normalisation and emoji selectors are no difference."""
    assert ask(text).was_reread is reread


def test_an_ambiguous_abbreviation_has_the_meaning_that_matched() -> None:
    """`bn` means how much or you: if no keyword decides, both are shown."""
    assert ask("giá bn").understood == "giá bao nhiêu"
    assert ask("bn ơi").understood == "bao nhiêu/bạn ơi"


@pytest.mark.parametrize(
    ("rules", "text", "why"),
    [
        (("keywords: [giá]", "keywords: [áo]\n    priority: 1"), "giá áo", "priority"),
        (("keywords: [giá]", "keywords: [áo dài]"), "giá áo dài", "words"),
        (("keywords: [áo dài]", "keywords: [giá sỉ]"), "ao dai giá sỉ", "marks"),
        (("keywords: [áo dài]", "keywords: [giá sỉ]"), "giá sỉ áo dài", "spread"),
        (("keywords: [áo dài]", "keywords: [đường nào]"), "ở đường nào áo dài", "letters"),
        (("keywords: [áo len]", "keywords: [áo dài]"), "có áo len áo dài", "first"),
    ],
)
def test_the_criterion_that_decided(rules: tuple[str, str], text: str, why: str) -> None:
    """Each criterion alone."""
    found = explain(small(*rules), text)
    assert [outranked.why for outranked in found.outranked] == [why]


def test_without_words_priority_and_position_decide() -> None:
    """Of rules for the same event the first one answers."""
    found = ask("", kind="sticker")
    assert found.winner
    assert found.winner.rule.id == "nhan-dan"
    assert [(outranked.match.rule.id, outranked.why) for outranked in found.outranked] == [
        ("nhan-dan-2", "first"),
        ("nhan-dan-3", "priority"),
    ]


def test_the_pattern_that_matched() -> None:
    """A pattern marks no words."""
    found = ask("gửi km 20 nhé")
    assert found.winner
    assert (found.winner.rule.id, found.winner.hits) == ("ma", ())
    assert list(found.pieces()) == [("gửi km 20 nhé", False)]


def test_an_excluded_rule() -> None:
    """The excluding word is shown; the fallback answers."""
    found = ask("đánh giá, bảng giá")
    assert found.winner is None
    assert [(excluded.rule.id, excluded.by.keyword.text) for excluded in found.excluded] == [("bang-gia", "đánh giá")]
    assert found.cooldown == timedelta(hours=24)
    assert found.suggestion is None


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("quà tết", {"now": at("2027-01-21 22:00")}, [("tet", "hours", True)]),
        ("quà tết", {"now": at("2027-01-23 12:00")}, [("tet", "day", True)]),
        ("quà tết", {"now": at("2027-01-19 12:00")}, [("tet", "not-yet", True)]),
        ("quà tết", {"now": at("2027-02-22 12:00")}, [("tet", "over", True)]),
        ("quà tết, đổi trả", {"now": at("2027-02-22 12:00")}, [("tet", "over", False)]),
        ("quà tết", {}, []),
        ("chi nhánh", {"oa_id": "222"}, [("chi-nhanh", "oa", True)]),
        ("chi nhánh", {"oa_id": "111"}, []),
        ("chi nhánh", {}, []),
        ("bảng màu", {}, [("tat", "off", True)]),
        ("giá", {}, [("tat", "off", False)]),
    ],
)
def test_inactive_rules(text: str, more: dict[str, object], expected: list[tuple[str, str, bool]]) -> None:
    """Why they are inactive, and whether they would answer otherwise."""
    found = ask(text, **more)
    assert [(o.match.rule.id, o.why, o.would_answer) for o in found.inactive] == expected
    assert found.suggestion is None


@pytest.mark.parametrize(
    ("keywords", "text", "reason"),
    [
        ("[bảng giá]", "bàng giá", "marks"),
        ("[giá]", "nhà có gia đình nhỏ", "unmarked"),
        ("[chuyển khoản]", "mua cho ck mặc", "ambiguous"),
        ("[trả hàng]", "kiểm tra hàng", "unmarked"),
        ("[{text: menu, match: exact}]", "xem menu", "place"),
        ("[{text: thực đơn, match: prefix}]", "xem thuc don", "place"),
        ("[sp]", "2sp", "glued"),
        ("[bánh kem]", "bánh kên", "letter"),
        ("[giá bao nhiêu]", "giá khoảng bao nhiêu", "between"),
        ("[giá bao nhiêu]", "giá nhiêu", "missing"),
        ("[giá bao nhiêu]", "giá mấy nhiêu", "word"),
    ],
)
def test_near_misses(keywords: str, text: str, reason: str) -> None:
    """The difference as a complete sentence in both languages."""
    found = explain(small(f"keywords: {keywords}"), text)
    assert [near.miss.reason for near in found.near] == [reason]
    for lang in LANGS:
        said = sentences.near_text(found.near[0], lang)
        assert found.near[0].miss.wanted in said or found.near[0].miss.keyword.text in said
        assert "{" not in said


def test_short_words_are_not_near() -> None:
    """A short word with another letter is another word."""
    assert explain(small("keywords: [ship]"), "shop").near == ()


def test_a_missing_group_of_words() -> None:
    """A rule that lacks only one group is listed with it."""
    found = ask("đặt 2 hộp")
    assert [(i.rule.id, i.missing) for i in found.incomplete] == [("dat-banh", ("bánh kem", "bánh sinh nhật"))]
    assert [hit.keyword.text for hit in found.incomplete[0].hits] == ["đặt"]
    assert ask("xin chào").incomplete == ()


def test_if_a_rule_answers_only_typos_are_listed() -> None:
    """Other near misses are of no use then."""
    found = ask("giá bánh kem, đặt khuyển mãi")
    assert found.winner
    assert [near.miss.reason for near in found.near] == ["marks"]
    assert explain(RULES, "bán chi tiết nhánh", now=NOON).near
    assert explain(RULES, "giá chi tiết nhánh", now=NOON).near == ()
    assert explain(RULES, "giá 2 cái, đặt", now=NOON).incomplete == ()


def test_events_without_words_have_no_near_misses() -> None:
    """Nor have words beside a sticker that no rule matches."""
    found = ask("khuyển mãi", kind="sticker")
    assert (found.near, found.incomplete) == ((), ())


def test_a_near_miss_in_the_missing_group_replaces_it() -> None:
    """A rule is listed once."""
    found = ask("đặt bánh kèm")
    assert [(near.rule.id, near.miss.wanted) for near in found.near] == [("dat-banh", "kem")]
    assert found.incomplete == ()


def test_shares() -> None:
    """Each image of `one_of` has the share of its weight; all images of a sequence are sent."""
    one_of, sequence, *_ = (rule.reply for rule in RULES.file.rules if rule.on == "sticker")
    assert [share for _, share in shares(one_of)] == [0.75, 0.25]
    assert [share for _, share in shares(sequence)] == [1, 1]


def pasted(yaml: str, found: Explanation) -> str:
    """Return the file after its editor has applied the suggestion."""
    assert found.suggestion
    if found.suggestion.is_new:
        return yaml.replace("\nfallback:", f"\n{found.suggestion.yaml}\nfallback:")
    first, keywords = found.suggestion.yaml.split("\n")
    before, after = yaml.split(first + "\n")
    old, _, rest = after.partition("\n")
    assert old.startswith("    keywords: ")
    return f"{before}{first}\n{keywords}\n{rest}"


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("xem menu đi", "menu", "{text: menu, match: exact}, khuyến mãi, menu]"),
        ("khuyển mãi", "menu", "khuyến mãi, khuyển mãi]"),
        ("khuyến nha mãi", "menu", "khuyến mãi, khuyến nha mãi]"),
        ("cho mình hỏi máy lạnh ạ", "may-lanh", "keywords: [máy lạnh]"),
        ("shop ơi có wifi ko", "wifi", "keywords: [wifi]"),
        ("❤️", "luat-moi", 'keywords: ["❤"]'),
        (":)", "luat-moi", 'keywords: [":)"]'),
    ],
)
def test_a_suggestion_works(text: str, rule: str, line: str) -> None:
    """The changed file has no errors, and that rule answers."""
    found = ask(text)
    assert found.suggestion
    assert found.suggestion.rule_id == rule
    assert line in found.suggestion.yaml
    again = explain(rules_of(pasted(SHOP, found)), text, now=NOON)
    assert again.winner
    assert again.winner.rule.id == rule


def test_a_suggestion_for_an_event() -> None:
    """A new rule with a free id for an event that no rule answers."""
    found = ask("", kind="business_card")
    assert found.suggestion
    assert "on: business_card" in found.suggestion.yaml
    again = explain(rules_of(pasted(SHOP, found)), "", kind="business_card")
    assert again.winner
    assert again.winner.rule.id == "business-card"


def test_a_suggestion_has_a_free_id() -> None:
    """No id is used twice."""
    found = explain(rules_of(SHOP.replace("id: menu", "id: wifi")), "có wifi ko")
    assert found.suggestion
    assert found.suggestion.rule_id == "wifi-2"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("keywords: [cỡ bánh]", "tet co ban ko shop"),
        ("keywords: [cỡ bánh]", "có bánh ko"),
        ("keywords: [có bánh gì]", "có bánh ko"),
        ("keywords: [giá]", "nha"),
        ("keywords: [giá]", "thue nha nguyen can"),
        ("keywords: [giá]", "aø"),
        ("keywords: [bảng giá]", "bản giá"),
        ("keywords: [mấy người ăn]", "set lẩu hai người ăn"),
        ("keywords: [{text: thực đơn, match: prefix}]", "xem thực đơn"),
    ],
)  # fmt: skip
def test_no_suggestion_is_better_than_a_wrong_one(rule: str, text: str) -> None:
    """Another word was meant, the check would warn, or the marks are unknown."""
    found = explain(small(rule), text).suggestion
    assert found is None or found.is_new
    assert found is None or found.keyword == "set lẩu hai người ăn"


def test_a_suggestion_takes_no_example_of_another_rule() -> None:
    """Nor a message that this rule must not answer."""
    typed = "bàng giá xe"
    known = small("keywords: [bảng giá]", "keywords: [xe máy]")
    assert explain(known, typed).suggestion == Suggestion(
        "a", False, "  - id: a\n    keywords: [bảng giá, bàng giá]", "bàng giá"
    )
    taken = small("keywords: [bảng giá]", "keywords: [xe máy]\n    examples: [bàng giá xe máy]")
    denied = small("keywords: [bảng giá]\n    not_examples: [bàng giá]", "keywords: [xe máy]")
    for rules in (taken, denied):
        found = explain(rules, typed).suggestion
        assert found is None or found.is_new


@pytest.mark.parametrize("text", ["", "  \n", "\u200b"])
def test_no_suggestion_without_words(text: str) -> None:
    """Nothing can be made of nothing."""
    assert ask(text).suggestion is None


WORDS = st.sampled_from(
    """
    bảng bang bàng giá gia bn tiền banh bánh kem bsn size ship ko đặt order quà tết sale km 20 menu thuc don địa chỉ
    mấy giờ mở cửa cảm ơn đánh khuyenmai khuyne mãi 😀 :) , shop ơi
    """.split()  # noqa: SIM905
)
MESSAGES = st.one_of(st.lists(WORDS, max_size=8).map(" ".join), st.text(max_size=40))
MOMENTS = st.floats(at("2026-12-01"), at("2027-12-01"))


@given(text=MESSAGES, now=MOMENTS, kind=st.sampled_from(["text"] * 8 + list(EVENT_KINDS)))
def test_the_explanation_agrees_with_the_decision(text: str, now: float, kind: str) -> None:
    """Same rule and images, the text as typed, and a sentence for everything."""
    found = explain(SAMPLE_RULES, text, kind=kind, oa_id="1", now=now)
    decision = decide(SAMPLE_RULES, Incoming(kind, text, "1", "key"), now=now, last_reply=lambda _: None)
    assert (found.winner.rule.id if found.winner else None) == (decision.rule_id if decision.reason == "rule" else None)
    assert (found.reply is not None) == bool(decision.images)
    assert "".join(piece for piece, _ in found.pieces()) == text
    for lang in LANGS:
        for said in every_sentence(found, lang):
            assert said
            assert "{" not in said or "{" in text


@given(text=MESSAGES)
def test_every_suggestion_works(text: str) -> None:
    """For any message, the changed file answers it and has no error."""
    found = explain(RULES, text, now=NOON)
    if found.suggestion:
        again = explain(rules_of(pasted(SHOP, found)), text, now=NOON)
        assert again.winner
        assert again.winner.rule.id == found.suggestion.rule_id


def every_sentence(found: Explanation, lang: Language) -> list[str]:
    """Return all sentences of an explanation."""
    return [
        sentences.winner_text(found, lang),
        *sentences.notes(found, lang),
        *(sentences.outranked_text(outranked, found.winner, lang) for outranked in found.outranked if found.winner),
        *(sentences.excluded_text(excluded, lang) for excluded in found.excluded),
        *(sentences.inactive_text(inactive, lang) for inactive in found.inactive),
        *(sentences.near_text(near, lang) for near in found.near),
        *(sentences.incomplete_text(incomplete, lang) for incomplete in found.incomplete),
        *([sentences.suggestion_text(found.suggestion, lang)] if found.suggestion else []),
    ]


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        (1, "1 giây", "1 second"),
        (90, "90 giây", "90 seconds"),
        (60, "1 phút", "1 minute"),
        (5400, "90 phút", "90 minutes"),
        (3600, "1 giờ", "1 hour"),
        (86_400, "24 giờ", "24 hours"),
        (7 * 86_400, "7 ngày", "7 days"),
    ],
)
def test_durations_in_words(seconds: int, vi: str, en: str) -> None:
    """In the largest unit that fits."""
    time = timedelta(seconds=seconds)
    assert (sentences.duration(time, "vi"), sentences.duration(time, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("active", "vi", "en"),
    [
        ("{from: 2027-01-20}", "từ 20/01/2027", "from 2027-01-20"),
        ("{until: 2027-02-20}", "đến hết 20/02/2027", "until the end of 2027-02-20"),
        ("{days: [sun, sat]}", "thứ bảy, chủ nhật", "Saturday, Sunday"),
        ("{days: [mon, wed, tue]}", "thứ hai đến thứ tư", "Monday to Wednesday"),
        ('{days: [mon, wed, fri], hours: "22:00-06:00"}', "thứ hai, thứ tư, thứ sáu, lúc 22:00–06:00",
         "Monday, Wednesday, Friday, at 22:00–06:00"),
        ('{from: 2027-01-20, until: 2027-02-20, hours: "8:00-21:30"}',
         "từ 20/01/2027 đến hết 20/02/2027, lúc 08:00–21:30",
         "from 2027-01-20 to the end of 2027-02-20, at 08:00–21:30"),
    ],
)  # fmt: skip
def test_schedules_in_words(active: str, vi: str, en: str) -> None:
    """A time as one would say it."""
    rule = small(f"keywords: [a]\n    active: {active}").file.rules[0]
    assert rule.active
    assert (sentences.schedule(rule.active, "vi"), sentences.schedule(rule.active, "en")) == (vi, en)


@pytest.mark.parametrize("text", ["?", "???", "!", "…", "a" * 500])
def test_invalid_keywords_are_not_suggested(text: str) -> None:
    """Too many messages have punctuation; endless words are refused."""
    assert ask(text).suggestion is None
