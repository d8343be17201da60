"""Repair mistakes visible in a single line: invisible characters, foreign comments, missing colons and dashes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bot.rules.model.synonyms import is_key
from bot.rules.problem import Problem

if TYPE_CHECKING:
    from bot.rules.reading.source import Source

_INVISIBLE: Final = "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
_HAS_INVISIBLE: Final = re.compile(f"[{_INVISIBLE}]+")
_STRUCTURE: Final = re.compile(
    rf"(?:[\s{_INVISIBLE}]|-(?=[\s{_INVISIBLE}]))*(?:[\w{_INVISIBLE}]+\s*(?=[:：=]))?[{_INVISIBLE}]*"
)
LONGEST_LINE: Final = 5_000
_FENCE: Final = re.compile(r"\s*(`{3,}|~{3,})\s*\w*\s*$")
_FOREIGN_STARTS: Final = frozenset("`~<=>|/*-;rR")
_MERGE: Final = re.compile(r"(<{7}|={7}|>{7}|\|{7})(\s.*)?$")
_FOREIGN_COMMENT: Final = re.compile(r"\s*(//|/\*|\*/|<!--|--(?!-)|;|rem\s)", re.IGNORECASE)
_COMMENT_BEHIND: Final = re.compile(r"\s(//)(?=\s|$).*$")
_QUOTED: Final = re.compile(r"""(?<![\w\\])("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')""")
_EXCEL_LINE: Final = re.compile(r'"(?:[^"]|"")*"[,;\t]*')
_MAX_EXCEL_LINES: Final = 20_000
_KEY_LINE: Final = re.compile(r"(\s*(?:-\s+)?)(\w+)\s*[:：=]")
_BARE_KEY: Final = re.compile(r"(\s*(?:-\s+)?)(\w+)(?:\s+(?![:：=])(\S.*))?$")
_FLOW_EQUALS: Final = re.compile(r"[{,]\s*(\w+)\s*(=)(?![=>])\s*")
_ID: Final = re.compile(r"( {2,})id\s*:")
_RULES: Final = re.compile(r"\s*(?:-\s+)?rules\s*[:：=]?\s*(#.*|\[.*)?$")
_RULE_WITH_ID: Final = re.compile(r" *-\s+id\b")
_VERSION: Final = re.compile(r"version\s*:\s*['\"]?1['\"]?\s*(#.*)?$")
_NOTHING: Final = re.compile(r"\s*(#.*)?$")


def repair_file(source: Source) -> None:
    """Repair mistakes visible only in the whole file: Excel's quotes, a missing line ``rules:``."""
    _excel_quotes(source)
    _lost_rules(source)


def repair_line(source: Source, number: int) -> None:
    """Repair the line *number*, counted from 0, unless it is too long to be typed."""
    if len(source.repaired[number]) > LONGEST_LINE:
        return
    _invisible(source, number)
    if _left_by_programs(source, number):
        return
    _comment_behind(source, number)
    _flow_equals(source, number)
    _lost_colon(source, number)
    _lost_dash(source, number)


def _invisible(source: Source, number: int) -> None:
    """Remove invisible characters from the indentation, the dash and the key."""
    line = source.repaired[number]
    if not _HAS_INVISIBLE.search(line):
        return
    structure = _STRUCTURE.match(line)
    found = [*_HAS_INVISIBLE.finditer(structure[0])] if structure else []
    if found:
        source.report(number, found[0].start(), 1, "control-character", char=f"U+{ord(found[0][0][0]):04X}")
    for match in reversed(found):
        source.replace_span(number, match.start(), match.end(), "")


def _left_by_programs(source: Source, number: int) -> bool:
    """Blank a line that a program left in the file (merge markers and the like); return whether it was one."""
    line = source.repaired[number]
    start = len(line) - len(line.lstrip())
    if line[start : start + 1] not in _FOREIGN_STARTS:
        return False
    if fence := _FENCE.match(line):
        source.report(number, start, len(fence[0].strip()), "stray-line/fence", sign=fence[1])
    elif merge := _MERGE.match(line):
        if merge[1][0] == "<" or not any(problem.phrase.key == "stray-line/merge" for problem in source.problems):
            source.report(number, 0, len(line.rstrip()), "stray-line/merge")
    elif comment := _FOREIGN_COMMENT.match(line):
        source.report(number, start, len(comment[1].strip()), "stray-line/comment", sign=comment[1].strip())
    else:
        return False
    source.replace_span(number, 0, len(line), "")
    return True


def _comment_behind(source: Source, number: int) -> None:
    line = source.repaired[number]
    if "//" not in line:
        return
    bare = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), line)
    if comment := _COMMENT_BEHIND.search(bare):
        source.report(number, comment.start(1), 2, "stray-line/comment", sign="//")
        source.replace_span(number, comment.start(1), len(line), "")


def _flow_equals(source: Source, number: int) -> None:
    """Repair ``=`` for ``:`` in a flow mapping: ``{image_url = "…"}``."""
    line = source.repaired[number]
    if "=" not in line or "{" not in line:
        return
    bare = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), line)
    for match in reversed([*_FLOW_EQUALS.finditer(bare)]):
        if is_key(match[1]):
            source.report(number, match.start(1), match.start(2) + 1 - match.start(1), "equals-sign", word=match[1])
            source.replace_span(number, match.start(2), match.start(2) + 1, ": ")


def _lost_colon(source: Source, number: int) -> None:
    """Repair a key without its colon among lines with theirs: ``reply {…}``, ``- id bang-gia``, ``rules``."""
    line = source.repaired[number]
    key = _BARE_KEY.match(line)
    if not key or not is_key(key[2]):
        return
    has_dash, rest = "-" in key[1], key[3] or ""
    below = _neighbour(source, number, 1)
    if has_dash:
        is_lost = key[2] == "id" and _key_column(below) == len(key[1])
    elif rest:
        is_lost = len(key[1]) in {_key_column(below), _key_column(_neighbour(source, number, -1))}
    else:
        is_lost = _indent(below) > len(key[1]) or (key[2] == "rules" and below.lstrip().startswith("-"))
    if is_lost:
        source.report(number, key.start(2), len(key[2]), "no-colon/key", word=key[2])
        source.replace_span(number, key.end(2), key.end(2), ":")


def _lost_dash(source: Source, number: int) -> None:
    """Repair a missing dash: a second ``id:`` in a rule begins another rule."""
    line = source.repaired[number]
    key = _ID.match(line)
    if not key:
        return
    column = len(key[1])
    for above in range(number - 1, -1, -1):
        words = source.repaired[above]
        if _NOTHING.match(words):
            continue
        is_id = re.match(rf" {{{column - 2}}}(?:- |  )id\s*:", words)
        if is_id:
            place = source.place(number, column, 2)
            source.problems.append(Problem.at(place, "duplicate-key/rule", word="id", line=above + 1))
            source.replace_span(number, column - 2, column, "- ")
        if is_id or _indent(words) < column:
            return


def _excel_quotes(source: Source) -> None:
    """Repair a file that a spreadsheet saved as CSV: every line in quotes, inner quotes doubled."""
    written = [number for number, line in enumerate(source.repaired) if line.strip()]
    if not 2 <= len(written) <= _MAX_EXCEL_LINES or not all(
        _is_excel_line(source.repaired[number].rstrip()) for number in written
    ):
        return
    source.report(written[0], 0, len(source.repaired[written[0]].rstrip()), "stray-line/excel")
    for number in written:
        line = source.repaired[number].rstrip().rstrip(",;\t")
        source.replace_span(number, len(line) - 1, len(source.repaired[number]), "")
        for match in reversed([*re.finditer('""', line[1:-1])]):
            source.replace_span(number, match.start() + 1, match.end() + 1, '"')
        source.replace_span(number, 0, 1, "")


def _is_excel_line(line: str) -> bool:
    return len(line) <= LONGEST_LINE and _EXCEL_LINE.fullmatch(line) is not None


def _lost_rules(source: Source) -> None:
    """Repair rules without the line ``rules:`` above them."""
    first = next((number for number, line in enumerate(source.repaired) if _RULE_WITH_ID.match(line)), None)
    if not first or any(_RULES.match(line) for line in source.repaired):
        return
    above = source.repaired[first - 1]
    if not (_NOTHING.match(above) or _VERSION.match(above)):
        return
    if not any(_KEY_LINE.match(line) for line in source.repaired[:first]):
        return  # the whole file is a list: reported as such
    dash = source.repaired[first].index("-")
    source.report(first, dash, 1, "no-top/list")
    # The version may be missing: there is only one.
    source.replace_span(first - 1, 0, len(above), "rules:")


def _neighbour(source: Source, number: int, step: int) -> str:
    """Return the next non-blank line above or below."""
    line = number + step
    while 0 <= line < len(source.repaired) and _NOTHING.match(source.repaired[line]):
        line += step
    return source.repaired[line] if 0 <= line < len(source.repaired) else ""


def _key_column(line: str) -> int | None:
    """Return the column of the key of a line, if it is a key of a rules file."""
    key = _KEY_LINE.match(line)
    return len(key[1]) if key and is_key(key[2]) else None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
