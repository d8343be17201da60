"""Suggestions for mistyped values: dates, hours, durations, events and keys."""

from __future__ import annotations

import pytest

from bot.rules.reading.loader import load

RULE = "rules:\n  - id: menu\n    keywords: [menu]\n    reply: {attachment_id: x}\n"


def rule_with(line: str) -> bytes:
    """Return a file with one good rule that has an additional line."""
    return f"{RULE}    {line}\n".encode()


def found(text: str) -> list[tuple[int, int, str]]:
    """Return line, column and code of every problem."""
    return [(problem.line, problem.column, problem.code) for problem in load(text.encode()).problems]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("20/01/2027", "2027-01-20"), ("1.2.2027", "2027-02-01"), ("20-1-27", "2027-01-20"), ("2027/01/20", "2027-01-20"),
     ("ngày 20 tháng 1 năm 2027", "2027-01-20")],
)  # fmt: skip
def test_a_date_is_suggested_day_first(typed: str, meant: str) -> None:
    """As dates are written in Vietnam."""
    problem = load(rule_with(f"active: {{from: {typed}}}")).problems[0]
    assert problem.message("en").endswith(meant)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("8h-21h", "08:00-21:00"), ("8h30 - 21h", "08:30-21:00"), ("8-21", "08:00-21:00"), ("8am-9pm", "08:00-21:00"),
     ("từ 8 giờ đến 21 giờ 30", "08:00-21:30"), ("08:00–21:30", "08:00-21:30"), ("7g30-17g", "07:30-17:00"),
     ("18:00-24:00", "18:00-00:00"), ("08.00-21.30", "08:00-21:30")],
)  # fmt: skip
def test_hours_are_suggested(typed: str, meant: str) -> None:
    """In the ways shops write them on their doors."""
    problem = load(rule_with(f"active: {{hours: {typed}}}")).problems[0]
    assert problem.message("en").endswith(f'"{meant}"')


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("10 phút", "10m"), ("10 phut", "10m"), ("10'", "10m"), ("10p", "10m"), ("10 minutes", "10m"), ("2 tiếng", "2h"),
     ("1 giờ", "1h"), ("30 giây", "30s"), ("1 tuần", "7d"), ("1h30", "90m"), ("10M", "10m"), ("1 day", "1d")],
)  # fmt: skip
def test_a_duration_is_suggested(typed: str, meant: str) -> None:
    """In Vietnamese, in English, and short."""
    problem = load(rule_with(f'cooldown: "{typed}"')).problems[0]
    assert f"as {meant}" in problem.message("en")


@pytest.mark.parametrize("typed", ["1,5h", "24", "một giờ", "h"])
def test_an_unclear_duration_has_no_suggestion(typed: str) -> None:
    """A wrong suggestion is worse than none: 1,5h is not 15h."""
    problem = load(rule_with(f'cooldown: "{typed}"')).problems[0]
    assert problem.phrase.key == "bad-duration"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("user_send_text", "text"), ("user_send_image", "image"), ("user_send_business_card", "business_card"),
     ("user_click_chatnow", "chat_now"), ("quan tâm", "follow"), ("Follow", "follow"), ("ảnh", "image"),
     ("nhãn dán", "sticker"), ("giọng nói", "audio"), ("vị trí", "location"), ("danh thiếp", "business_card"),
     ("folow", "follow"), ("chat now", "chat_now")],
)  # fmt: skip
def test_an_event_is_suggested(typed: str, meant: str) -> None:
    """For Zalo's own names and Vietnamese words too."""
    problem = load(rule_with(f"on: {typed}")).problems[-1]
    assert problem.message("en").endswith(f'did you mean "{meant}"?')


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("tu khoa", "keywords"), ("Từ khóa", "keywords"), ("keyword", "keywords"), ("trigger", "keywords"),
     ("when", "keywords"), ("keywrods", "keywords"), ("loại trừ", "exclude"), ("trả lời", "reply"), ("answer", "reply"),
     ("response", "reply"), ("tên", "id"), ("ví dụ", "examples"), ("ưu tiên", "priority"), ("Priority", "priority"),
     ("regex", "pattern"), ("not examples", "not_examples"), ("cool-down", "cooldown"), ("thời gian", "active")],
)  # fmt: skip
def test_a_key_is_suggested(typed: str, meant: str) -> None:
    """For Vietnamese words, common English ones, typos."""
    problems = load(f"rules:\n  - {typed}: x\n".encode()).problems
    problem = next(problem for problem in problems if problem.code == "unknown-key")
    assert problem.message("vi").endswith(f'ý bạn là "{meant}"?')


def test_the_value_under_a_misspelt_key_is_checked() -> None:
    """As the value of the intended key, at any depth, and no key is reported missing."""
    text = """
luật:
  - tên: menu
    từ khóa: [thực đơn, thực đơn chay, "a; b"]
    trả lời: {link: "http://shop.example/menu.jpg"}
"""
    assert found(text) == [
        (2, 1, "unknown-key"),
        (3, 5, "unknown-key"),
        (4, 5, "unknown-key"),
        (4, 40, "comma-keyword"),
        (5, 5, "unknown-key"),
        (5, 15, "unknown-key"),
        (5, 21, "http-url"),
    ]


def test_an_unknown_key_next_to_the_right_one_is_not_taken_for_it() -> None:
    """Otherwise there would be two."""
    assert found(rule_with("keyword: [a]").decode()) == [(5, 5, "unknown-key")]
