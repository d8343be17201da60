"""Fixes of problems: certain ones only, which change nothing but what they name."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rules.fixes import Edit, Fix, StaleFix, apply_fix, find_fixes
from bot.rules.problem import Problem, split_lines, text_of
from bot.rules.validate import validate
from tests.support.golden import BAD, TODAY

GOOD = """\
version: 1
rules:
  - id: bang-gia
    keywords: [bảng giá]
    reply: {image_url: "https://shop.example/bang-gia.jpg"}
  - id: giao-hang
    keywords:
      - giao hàng
      - chuyển khoản
    reply: {image_url: "https://shop.example/giao-hang.jpg"}
"""
SLIPS = {
    "unknown-key": ("keywords: [bảng", "keyword: [bảng"),
    "equals-sign": ("keywords: [bảng", "keywords= [bảng"),
    "full-width-colon": ("keywords: [bảng", "keywords： [bảng"),
    "space-after-colon": ("keywords: [bảng", "keywords:[bảng"),
    "no-colon": ("keywords: [bảng", "keywords [bảng"),
    "space-after-dash": ("- chuyển", "-chuyển"),
    "dash": ("- chuyển", "– chuyển"),
    "odd-space": ("      - chuyển", "\u00a0     - chuyển"),
    "missing-brackets": ("[bảng giá]", '"bảng giá", "báo giá"'),
    "bare-link": ('{image_url: "https://shop.example/giao-hang.jpg"}', "https://shop.example/giao-hang.jpg"),
}


def problems_of(content: bytes) -> tuple[Problem, ...]:
    return validate(content, today=TODAY).problems


def fixes_of(text: str) -> dict[str, Fix]:
    """Return the fixes by code of the problem."""
    content = text.encode()
    return {problem.code: fix for problem, fix in find_fixes(content, problems_of(content), problems_of).items()}


@pytest.mark.parametrize("code", SLIPS)
def test_a_mistake_is_fixed(code: str) -> None:
    """The file is valid then."""
    right, wrong = SLIPS[code]
    broken = GOOD.replace(right, wrong)
    assert broken != GOOD
    assert problems_of(apply_fix(broken, fixes_of(broken)[code]).encode()) == ()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("    keywords: [b", "\tkeywords: [b"), ("    reply: ", "\treply: "), ("    keywords: [b", "  \tkeywords: [b")],
)
def test_tabs_become_the_only_width_of_spaces_that_is_valid(right: str, wrong: str) -> None:
    """In several lines at once."""
    broken = GOOD.replace(right, wrong)
    assert apply_fix(broken, fixes_of(broken)["tab"]) == GOOD


def test_each_of_several_mistakes_is_fixed_alone() -> None:
    """The other one stays and does not count as new."""
    broken = GOOD.replace("- chuyển", "-chuyển").replace("keywords: [bảng", "keyword: [bảng")
    assert set(fixes_of(broken)) == {"unknown-key", "space-after-dash"}


def test_a_fix_that_causes_another_problem_is_not_offered() -> None:
    """The correct key exists already."""
    broken = GOOD.replace("    keywords: [bảng giá]", "    keywords: [báo giá]\n    keyword: [bảng giá]")
    assert "unknown-key" in {problem.code for problem in problems_of(broken.encode())}
    assert fixes_of(broken) == {}


def test_a_guess_is_not_offered() -> None:
    """The example may be wrong, or the keywords."""
    broken = GOOD.replace("[bảng giá]", "[bảng giá]\n    examples: [bảng tin]")
    assert "example-fails" in {problem.code for problem in problems_of(broken.encode())}
    assert fixes_of(broken) == {}


@pytest.mark.parametrize("hours", ["25:00-26:00", "18h-26h", "8h-5h", "2-5pm", "12am-6pm"])
def test_ambiguous_hours_are_not_fixed(hours: str) -> None:
    """Past midnight or a typo, morning or afternoon."""
    broken = GOOD.replace("    keywords: [b", f'    active: {{hours: "{hours}"}}\n    keywords: [b')
    assert "bad-hours" in {problem.code for problem in problems_of(broken.encode())}
    assert fixes_of(broken) == {}


@pytest.mark.parametrize(
    ("hours", "meant"),
    [("8h-21h30", "08:00-21:30"), ("8h-24h", "08:00-00:00"), ("8-5pm", "08:00-17:00"), ("7pm-2am", "19:00-02:00")],
)
def test_unambiguous_hours_are_fixed(hours: str, meant: str) -> None:
    """In 24-hour time."""
    broken = GOOD.replace("    keywords: [b", f'    active: {{hours: "{hours}"}}\n    keywords: [b')
    assert f'hours: "{meant}"' in apply_fix(broken, fixes_of(broken)["bad-hours"])


def many(count: int) -> str:
    """Return a file in which each of that many rules has a misspelled key, on its third line."""
    rule = '  - id: r{n}\n    reply: {{image_url: "https://shop.example/{n}.jpg"}}\n    keyword: [quà số {n}]\n'
    return "version: 1\nrules:\n" + "".join(rule.format(n=n) for n in range(100, 100 + count))


def test_many_fixes_are_checked_together() -> None:
    """A file whose check takes a second gets all its fixes at once."""
    content, checked = many(80).encode(), []

    def check(mended: bytes) -> tuple[Problem, ...]:
        checked.append(mended)
        return problems_of(mended)

    problems = problems_of(content)
    fixes = find_fixes(content, problems, check)
    assert (len(fixes), len(checked)) == (80, 1)
    assert set(fixes) == {problem for problem in problems if problem.code == "unknown-key"}


def test_a_failing_fix_does_not_remove_the_others() -> None:
    """They are checked again without it."""
    broken = many(20) + "    keywords: [bảng giá]\n"  # which the last one's key would repeat
    fixes = find_fixes(broken.encode(), problems_of(broken.encode()), problems_of)
    assert [fix[0].line for fix in fixes.values()] == list(range(5, 5 + 19 * 3, 3))


@functools.cache
def fixed_files() -> list[tuple[str, Problem, str, Fix]]:
    """Return each fix of the wrong files: the file's name, the problem, the file's text, and the fix."""
    return [
        (path.name, problem, text_of(path.read_bytes()), fix)
        for path in sorted(BAD.glob("*.yaml"))
        for problem, fix in find_fixes(path.read_bytes(), problems_of(path.read_bytes()), problems_of).items()
    ]


def test_many_kinds_are_fixed() -> None:
    """So that the property below is not empty."""
    assert len({problem.phrase.key for _name, problem, _text, _fix in fixed_files()}) > 20


@given(st.deferred(lambda: st.sampled_from(fixed_files())), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=100, deadline=None)
def test_a_fix_changes_only_the_lines_that_it_names(fixed: tuple[str, Problem, str, Fix], end: str) -> None:
    """One of them is the line of the problem."""
    _name, problem, text, fix = fixed
    before = end.join(split_lines(text))
    after = apply_fix(before, fix)
    changed = {
        number
        for number, (old, new) in enumerate(zip(before.split(end), after.split(end), strict=True), 1)
        if old != new
    }
    assert problem.line in changed
    assert changed == {edit.line for edit in fix}


PLACES = st.integers(-3, 6)
EDITS = st.lists(st.builds(Edit, PLACES, PLACES, st.text("ab\n", max_size=3), st.text("ab", max_size=3)), max_size=3)


@given(st.text("ab\n\r\ufeff", max_size=20), EDITS)
def test_any_edit_is_applied_or_refused(text: str, edits: list[Edit]) -> None:
    """Outside the text, or on other characters, nothing changes."""
    try:
        after = apply_fix(text, tuple(edits[:1]))
    except StaleFix:
        return
    for edit in edits[:1]:
        lines = split_lines(text)
        assert lines[edit.line - 1][edit.column - 1 :].startswith(edit.old)
        assert len(after) == len(text) - len(edit.old) + len(edit.new)
