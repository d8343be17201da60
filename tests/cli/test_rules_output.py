"""The exact output of the editors' commands."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest

from bot.cli.rules_output import as_annotation, as_object, explanation_lines
from bot.i18n import Language
from bot.rules.engine import RuleSet
from bot.rules.explain import explain
from bot.rules.problem import Place, Problem
from bot.rules.validate import ValidationResult, summarized, summary_text, validate
from tests.support.golden import LANGS
from tests.support.shop_rules import RULES

TODAY = date(2027, 1, 25)
NOON = datetime(2027, 1, 25, 12, 0, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))


def rules_of(yaml: str) -> RuleSet:
    """Return the rules of a good file."""
    rules = validate(yaml.encode(), today=TODAY).rules
    assert rules
    return rules


TRIES = [
    (
        {"text": "shop ơi gia bn v"},
        """\
Tin nhắn: shop ơi «gia bn» v
Hiểu là:  shop ơi gia bao nhiêu vậy
Quy tắc:  bang-gia, nhờ từ khóa "giá bao nhiêu" (có chữ viết tắt nhiều nghĩa, "bn" hiểu là «bao nhiêu»)
Gửi:      https://quanmoc.example/gia.jpg
Lưu ý:    mỗi khách chỉ nhận một lần trong 10 phút
""",
        """\
Message:  shop ơi «gia bn» v
Read as:  shop ơi gia bao nhiêu vậy
Rule:     bang-gia, by the keyword "giá bao nhiêu" (with an ambiguous abbreviation, "bn" read as «bao nhiêu»)
Sends:    https://quanmoc.example/gia.jpg
Note:     each customer gets it at most once in 10 minutes
""",
    ),
    (
        {"text": "bảng giá sỉ quần, qua tet", "at": "2027-01-24 09:30"},
        """\
Tin nhắn: bảng giá sỉ quần, «qua tet»
Lúc:      chủ nhật 24/01/2027 09:30
Quy tắc:  tet, nhờ từ khóa "quà tết" (khách gõ thiếu dấu)
Gửi:      một trong 2 ảnh, mỗi lần một ảnh:
           67% https://quanmoc.example/tet-1.jpg
           33% https://quanmoc.example/tet-2.jpg
Lưu ý:    quy tắc này chỉ chạy từ 20/01/2027 đến hết 20/02/2027, lúc 08:00–21:30
Lưu ý:    quy tắc này chỉ dành cho OA 388613280878808645

Quy tắc khác:
  bang-gia: "bảng giá" khớp, nhưng mức ưu tiên thấp hơn (0 so với 5)
  quan-ao: "quần" khớp, nhưng mức ưu tiên thấp hơn (0 so với 5)
  si: đang tắt (enabled: false)
""",
        """\
Message:  bảng giá sỉ quần, «qua tet»
At:       Sunday 2027-01-24 09:30
Rule:     tet, by the keyword "quà tết" (marks left out)
Sends:    one of 2 pictures each time:
           67% https://quanmoc.example/tet-1.jpg
           33% https://quanmoc.example/tet-2.jpg
Note:     this rule runs only from 2027-01-20 to the end of 2027-02-20, at 08:00–21:30
Note:     this rule is only for the OA 388613280878808645

Other rules:
  bang-gia: "bảng giá" matches, but its priority is lower (0 against 5)
  quan-ao: "quần" matches, but its priority is lower (0 against 5)
  si: switched off (enabled: false)
""",
    ),
    (
        {"text": "quà tết", "at": "2027-01-24 22:00"},
        """\
Tin nhắn: quà tết
Lúc:      chủ nhật 24/01/2027 22:00
Quy tắc:  không có quy tắc nào khớp, nên gửi trả lời mặc định
Gửi:      https://quanmoc.example/menu.jpg
Lưu ý:    mỗi khách chỉ nhận một lần trong 24 giờ

Quy tắc khác:
  tet: ngoài giờ; quy tắc chỉ chạy từ 20/01/2027 đến hết 20/02/2027, lúc 08:00–21:30; nếu không thì đã trả lời
""",
        """\
Message:  quà tết
At:       Sunday 2027-01-24 22:00
Rule:     no rule answers, so the fallback does
Sends:    https://quanmoc.example/menu.jpg
Note:     each customer gets it at most once in 24 hours

Other rules:
  tet: outside its hours; it runs only from 2027-01-20 to the end of 2027-02-20, at 08:00–21:30; but for that, it \
would answer
""",
    ),
    (
        {"text": "cho xem bàng giá"},
        """\
Tin nhắn: cho xem bàng giá
Quy tắc:  không có quy tắc nào khớp, nên gửi trả lời mặc định
Gửi:      https://quanmoc.example/menu.jpg
Lưu ý:    mỗi khách chỉ nhận một lần trong 24 giờ

Gần khớp:
  bang-gia: "bàng" khác dấu với "bảng" trong từ khóa "bảng giá"

Nếu câu này thuộc quy tắc bang-gia, hãy sửa dòng keywords của quy tắc đó thành:

  - id: bang-gia
    keywords: [bảng giá, giá bao nhiêu, bàng giá]
""",
        """\
Message:  cho xem bàng giá
Rule:     no rule answers, so the fallback does
Sends:    https://quanmoc.example/menu.jpg
Note:     each customer gets it at most once in 24 hours

Near misses:
  bang-gia: "bàng" contradicts "bảng" of the keyword "bảng giá"

If this belongs to the rule bang-gia, change its keywords to:

  - id: bang-gia
    keywords: [bảng giá, giá bao nhiêu, bàng giá]
""",
    ),
    (
        {"text": "đánh giá: giá bao nhiêu quần"},
        """\
Tin nhắn: đánh giá: giá bao nhiêu «quần»
Quy tắc:  quan-ao, nhờ từ khóa "quần"
Gửi:      https://quanmoc.example/quan.jpg

Quy tắc khác:
  bang-gia: bị bỏ qua vì tin nhắn có "đánh giá"
""",
        """\
Message:  đánh giá: giá bao nhiêu «quần»
Rule:     quan-ao, by the keyword "quần"
Sends:    https://quanmoc.example/quan.jpg

Other rules:
  bang-gia: kept out because the message has "đánh giá" (exclude)
""",
    ),
    (
        {"kind": "sticker"},
        """\
Sự kiện:  sticker
Quy tắc:  không có quy tắc nào trả lời
Gửi:      không gửi gì

Muốn bot trả lời, hãy thêm một quy tắc:

  - id: sticker
    on: sticker
    reply: {image_url: "https://…/sticker.jpg"}
""",
        """\
Event:    sticker
Rule:     no rule answers
Sends:    nothing

To have it answered, add a rule:

  - id: sticker
    on: sticker
    reply: {image_url: "https://…/sticker.jpg"}
""",
    ),
    (
        {"kind": "follow"},
        """\
Sự kiện:  follow
Quy tắc:  chao-mung
Gửi:      2 ảnh, theo thứ tự này:
          1. https://quanmoc.example/chao.jpg
          2. https://quanmoc.example/menu.jpg
""",
        """\
Event:    follow
Rule:     chao-mung
Sends:    2 pictures, in this order:
          1. https://quanmoc.example/chao.jpg
          2. https://quanmoc.example/menu.jpg
""",
    ),
]


@pytest.mark.parametrize(("asked", "vi", "en"), TRIES)
def test_the_output_of_try(asked: dict[str, str], vi: str, en: str) -> None:
    """In both languages."""
    at = datetime.strptime(asked["at"], "%Y-%m-%d %H:%M").replace(tzinfo=NOON.tzinfo) if "at" in asked else None
    moment = (at or NOON).timestamp()
    found = explain(rules_of(RULES), asked.get("text", ""), kind=asked.get("kind", "text"), now=moment)
    for lang, expected in zip(LANGS, (vi, en), strict=True):
        lines = [click.unstyle(line) for line in explanation_lines(found, lang, at=at)]
        assert "\n".join(lines) + "\n" == expected


def test_an_empty_message_is_labelled() -> None:
    """An empty line would look like a fault."""
    found = explain(rules_of(RULES), "")
    assert next(explanation_lines(found, "en")) == "Message:  (empty)"


def test_only_the_matched_words_are_coloured() -> None:
    """Green on a terminal; elsewhere only the angle brackets."""
    line = next(explanation_lines(explain(rules_of(RULES), "xem quần áo"), "en"))
    assert line == f"Message:  xem {click.style('«quần»', fg='green', bold=True)} áo"


@pytest.mark.parametrize("char", ["\x1b", "\u202e", "\u2066", "\x07", "\u2028", "\x00"])
def test_control_characters_are_not_printed(char: str) -> None:
    """Nor direction marks."""
    found = explain(rules_of(RULES), f"xem {char}quần{char}\nvới")
    lines = list(explanation_lines(found, "en"))
    assert click.unstyle(lines[0]).replace("«", "").replace("»", "") == "Message:  xem quần với"
    assert not any(char in click.unstyle(line) for line in lines)


TWO_WRONG = RULES.replace("exclude", "exlude").replace("every: 24h", "every: 1 ngày")
ONE_DOUBT = RULES.replace("[quần]", "[{text: quần, match: contains}]")
MANY_WRONG = "version: 1\nrules:\n" + "".join(f"  - id: r{n}\n    keywords: [từ {n}]\n" for n in range(150))
SMALL = (
    'version: 1\nrules:\n  - id: a\n    keywords: [giá sỉ]\n    reply: {image_url: "https://quanmoc.example/a.jpg"}\n'
)


@pytest.mark.parametrize(
    ("yaml", "vi", "en"),
    [
        (RULES, "r.yaml: không có lỗi. Đã kiểm tra 5 quy tắc (1 quy tắc đang tắt), 5 từ khóa, 2 ví dụ.",
         "r.yaml: fine. Checked 5 rules (1 switched off), 5 keywords, 2 examples."),
        (SMALL, "r.yaml: không có lỗi. Đã kiểm tra 1 quy tắc, 1 từ khóa, 0 ví dụ.",
         "r.yaml: fine. Checked 1 rule, 1 keyword, 0 examples."),
        (ONE_DOUBT, "r.yaml: dùng được, có 1 lưu ý. Đã kiểm tra 5 quy tắc (1 quy tắc đang tắt), 5 từ khóa, 2 ví dụ.",
         "r.yaml: usable, with 1 warning. Checked 5 rules (1 switched off), 5 keywords, 2 examples."),
        (TWO_WRONG, "r.yaml: có 2 lỗi. Bot chưa dùng bản này; hãy sửa rồi kiểm tra lại.",
         "r.yaml: 2 errors. The bot does not use this version; mend it and check again."),
        ("", "r.yaml: có 1 lỗi. Bot chưa dùng bản này; hãy sửa rồi kiểm tra lại.",
         "r.yaml: 1 error. The bot does not use this version; mend it and check again."),
        (MANY_WRONG, "r.yaml: có hơn 100 lỗi. Bot chưa dùng bản này; hãy sửa rồi kiểm tra lại.",
         "r.yaml: more than 100 errors. The bot does not use this version; mend it and check again."),
    ],
)  # fmt: skip
def test_the_last_line_of_check_sums_up(yaml: str, vi: str, en: str) -> None:
    """How much was checked, or how many problems there are."""
    verdict: ValidationResult = validate(yaml.encode(), today=TODAY)
    said = {lang: summary_text(summarized(verdict), Path("r.yaml"), lang) for lang in LANGS}
    assert said == {"vi": vi, "en": en}


def problem(lang: Language) -> tuple[Problem, str]:
    """Return a problem and its message."""
    found = Problem.at(Place(4, 5, 7), "http-url", near="https://a.example/50%.jpg")
    return found, found.message(lang)


@pytest.mark.parametrize("lang", LANGS)
def test_problems_as_json(lang: Language) -> None:
    """With all known facts, in the reader's language."""
    found, message = problem(lang)
    assert as_object(found, lang) == {
        "line": 4,
        "column": 5,
        "length": 7,
        "severity": "error",
        "code": "http-url",
        "message": message,
    }


def test_annotations_escape_separators() -> None:
    """File names and messages may have characters with a meaning for GitHub."""
    found, message = problem("en")
    assert as_annotation(found, Path("a:b, 100%.yaml"), "en") == (
        f"::error file=a%3Ab%2C 100%25.yaml,line=4,col=5,title=http-url::{message.replace('%', '%25')}"
    )
