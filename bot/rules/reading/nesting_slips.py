"""Repair lines at the wrong level: keys not indented, indented too deep, or two on one line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from bot.rules.model.synonyms import is_key
from bot.rules.problem import Problem
from bot.rules.reading.line_slips import LONGEST_LINE

if TYPE_CHECKING:
    from bot.rules.reading.source import Source

_IMAGE: Final = frozenset({"image_url", "attachment_id", "file", "else", "uploaded", "weight", "one_of"})
_INSIDE: Final = {
    "reply": _IMAGE,
    "active": frozenset({"from", "until", "days", "hours"}),
    "fallback": frozenset({"reply", "every"}),
    "else": frozenset({"image_url"}),
}
_KEYWORD_LISTS: Final = frozenset({"keywords", "exclude"})
_OPEN_KEY: Final = re.compile(r"( *)(- +)?(\w+)\s*:\s*(#.*)?$")
_KEY: Final = re.compile(r"( *)(\w+)\s*:(\s|$)")
_TWO_KEYS: Final = re.compile(r"( *(?:- +)?)(\w+)\s*:\s+(\w+)\s*:\s+(\S.*)$")
_KEY_BEHIND: Final = re.compile(r"\s(\w+):\s+[^\s]")
_TOP_RULES: Final = re.compile(r"rules\s*:")
_DEEP_RULES: Final = re.compile(r"( +)rules\s*:\s*(#.*)?$")
_MAX_PROBLEMS: Final = 200
_NOTHING: Final = re.compile(r"\s*(#.*)?$")
_CLOSED: Final = re.compile(r"""(?<![\w\\])("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|\[[^\[\]]*\]|\{[^{}]*\}""")


def repair_nesting(source: Source) -> None:
    """Repair the levels of a file after its single lines were repaired."""
    _rules_below_another_key(source)
    for number, line in enumerate(source.repaired):
        if len(source.problems) > _MAX_PROBLEMS:
            return
        if ":" in line and len(line) <= LONGEST_LINE and not line.lstrip().startswith("#"):
            _two_keys(source, number)
            _not_indented(source, number)


def _rules_below_another_key(source: Source) -> None:
    """Repair an indented ``rules:``, as under ``fallback:``."""
    if any(map(_TOP_RULES.match, source.repaired)):
        return
    for number, line in enumerate(source.repaired):
        if deep := _DEEP_RULES.match(line):
            indent = len(deep[1])
            source.report(number, indent, len("rules"), "indentation/top-key", word="rules", indent=indent)
            for below in _block(source, number, indent):
                if not _NOTHING.match(source.repaired[below]):
                    source.replace_span(below, 0, indent, "")
            return


def _block(source: Source, first: int, indent: int) -> range:
    """Return the line *first* and the following lines that are indented at least as deep."""
    end = first + 1
    while end < len(source.repaired):
        line = source.repaired[end]
        if not _NOTHING.match(line) and len(line) - len(line.lstrip()) < indent:
            break
        end += 1
    return range(first, end)


def _not_indented(source: Source, number: int) -> None:
    """Repair ``reply:`` with ``image_url: …`` below it at the same level."""
    open_key = _OPEN_KEY.match(source.repaired[number])
    if not open_key or open_key[3] not in _INSIDE:
        return
    column = len(open_key[1]) + len(open_key[2] or "")
    is_reported = False
    for below in range(number + 1, len(source.repaired)):
        line = source.repaired[below]
        indent = len(line) - len(line.lstrip())
        if _NOTHING.match(line):
            continue
        key = _KEY.match(line)
        is_inside = indent == column and key is not None and key[2] in _INSIDE[open_key[3]]
        if not is_inside and not (is_reported and indent > column):
            return
        if not is_reported and key:
            args = {"word": key[2], "key": open_key[3]}
            source.problems.append(Problem.at(source.place(below, indent, len(key[2])), "indentation/inside", **args))
            is_reported = True
        source.replace_span(below, 0, 0, "  ")


def _two_keys(source: Source, number: int) -> None:
    """Repair ``reply: image_url: …`` on one line, and a key after the value of another."""
    line = source.repaired[number]
    two = _TWO_KEYS.match(line)
    if two and is_key(two[2]) and two[3] in _INSIDE.get(two[2], ()):
        value, start = line[two.start(3) :].rstrip(), two.start(3)
        wrapped = _wrapped(value)
        if not is_yaml(wrapped):
            source.report(number, start, len(two[3]), "colon-in-text/two-keys", word=two[3])
            return
        source.report(number, start, len(value), "colon-in-text/nested", near=f"{two[2]}: {wrapped}")
        source.replace_span(number, start, len(line), wrapped)
        return
    if two and two[2] in _KEYWORD_LISTS and two[3] in {"text", "match"}:
        value = line[two.start(3) :].rstrip()
        source.report(number, two.start(3), len(value), "colon-in-text/nested", near=f"{two[2]}: [{{{value}}}]")
        source.replace_span(number, two.start(3), len(line), f"[{{{value}}}]")
        return
    key = _KEY.match(line.replace("- ", "  ", 1))
    if not key or not is_key(key[2]):
        return
    bare = _CLOSED.sub(lambda closed: "_" * len(closed[0]), line)
    behind = next((found for found in _KEY_BEHIND.finditer(bare, key.end()) if is_key(found[1])), None)
    if (
        behind is not None
        and "#" not in bare[: behind.start()]
        and not re.search(r"""["'\[{]""", bare[: behind.start()])
    ):
        source.report(number, behind.start(1), len(behind[1]), "colon-in-text/two-keys", word=behind[1])


def is_yaml(text: str) -> bool:
    """Return whether the suggested text is valid YAML."""
    try:
        yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # an invalid date
        return False
    return True


def _wrapped(value: str) -> str:
    """Return nested keys on one line, each level in its own braces."""
    inner = re.match(r"(\w+)\s*:\s+(\w+)\s*:\s", value)
    if inner and inner[2] in _INSIDE.get(inner[1], ()):
        value = f"{inner[1]}: {_wrapped(value[inner.start(2) :])}"
    return f"{{{value}}}"
