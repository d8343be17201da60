"""
Decode the bytes of a rules file, and replace look-alike characters.

Files that were edited in Word, on a phone or in a chat contain such characters. Each is reported and replaced, so
that reading continues and finds the other mistakes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bot.files import FileSize
from bot.rules.model.synonyms import is_key
from bot.rules.problem import Place, Problem, split_lines
from bot.rules.reading import line_slips, nesting_slips

MAX_BYTES = 2_000_000

# Characters that YAML refuses, and line ends that editors do not show as such.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"  # \n and \r are removed before
)
_ODD_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_LEAD = re.compile(r"\s*(?:-\s+)*")
_KEY_LEAD = re.compile(r"\s*(?:-\s+)?(\w+):\s+")
_BULLET = re.compile(r" *([–—−‐‑‒―•·●▪◦∙]|\*(?= ))(?=\s*\S)")
_TIGHT_DASH = re.compile(r" *-(?=[^\s-])")
_TIGHT_COLON = re.compile(r" *(?:- +)?(\w+) *(:=|=>|->|[:：=])(\s?)")
_LIST_ITEM = re.compile(r" *-(?=\s|$)")
_KEY_AHEAD = re.compile(r"(\w+) *[:：]")
_OPEN_KEY = re.compile(r":\s*(#.*)?$")
_MAX_PROBLEMS = 200  # more of them, and it is not a rules file


@dataclass(slots=True)
class Source:
    """The repaired text for the YAML parser, with the mapping of its columns to those of the file."""

    lines: Sequence[str]
    repaired: list[str]
    problems: list[Problem] = field(default_factory=list)
    readable: bool = True
    tab_indented: list[int] = field(default_factory=list)
    """The lines, from 0, indented with tabs, whose width is unknown."""
    _columns: dict[int, list[int]] = field(default_factory=dict)
    """For repaired lines: the column in the file of each character, and of the end."""

    @property
    def text(self) -> str:
        """The text for the YAML parser."""
        return "\n".join(self.repaired).replace("\t", " ")

    def place(self, line: int, column: int, length: int = 1) -> Place:
        """Return the place in the file of a span of the repaired text; *line* and *column* count from 0."""
        if line not in self._columns:
            return Place(line + 1, column + 1, max(length, 1))
        start = self._original(line, column)
        end = max(self._original(line, column + length), start + 1)
        return Place(line + 1, start + 1, end - start)

    def _original(self, line: int, column: int) -> int:
        columns = self._columns[line]
        return columns[min(column, len(columns) - 1)]

    def report(self, line: int, column: int, length: int, key: str, **args: str | int) -> None:
        """Add a problem at a position of the repaired text."""
        self.problems.append(Problem.at(self.place(line, column, length), key, **args))

    def replace_span(self, line: int, start: int, end: int, text: str) -> None:
        """Replace a span of a repaired line."""
        old = self.repaired[line]
        end = min(end, len(old))
        self.repaired[line] = old[:start] + text + old[end:]
        columns = self._columns.setdefault(line, list(range(len(old) + 1)))
        kept = columns[start:end][: len(text)]
        columns[start:end] = kept + [columns[end]] * (len(text) - len(kept))


def read(data: bytes) -> Source:
    """Return the text of *data*; never fails: bytes that are not text give problems and no lines."""
    if len(data) > MAX_BYTES:
        return _nothing(Problem.at(Place(1, 1), "too-big", size=FileSize(len(data)), limit=FileSize(MAX_BYTES)))
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in data[:4]:
        return _nothing(Problem.at(Place(1, 1), "not-utf8/utf16"))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = split_lines(data[: error.start].decode())
        place = Place(len(before), len(before[-1]) + 1)
        return _nothing(Problem.at(place, "not-utf8", byte=f"0x{data[error.start]:02X}"))
    lines = split_lines(text)
    source = Source(lines, list(lines))
    _repair(source)
    return source


def _nothing(problem: Problem) -> Source:
    return Source([], [], [problem], readable=False)


def _repair(source: Source) -> None:
    line_slips.repair_file(source)
    for number, line in enumerate(source.lines):
        if _FORBIDDEN.search(line):
            _forbidden(source, number)
        if (start := line.lstrip()[:1]) and start != "#":
            line_slips.repair_line(source, number)
            if _has_tab_lead(source.repaired[number]):
                source.tab_indented.append(number)
            _odd_spaces(source, number)
            if not start.isalnum():
                _dashes(source, number)
            _colons(source, number)
        if len(source.problems) > _MAX_PROBLEMS:
            source.readable = False
            break
    nesting_slips.repair_nesting(source)
    if source.tab_indented:
        _report_tabs(source, source.tab_indented)


def _has_tab_lead(line: str) -> bool:
    lead = _LEAD.match(line) if "\t" in line else None
    return lead is not None and "\t" in lead[0] and lead.end() < len(line)


def _forbidden(source: Source, number: int) -> None:
    for match in islice(_FORBIDDEN.finditer(source.repaired[number]), _MAX_PROBLEMS):
        key = "line-separator" if match[0] in "\x0b\x0c\x85\u2028\u2029" else "control-character"
        source.report(number, match.start(), 1, key, char=f"U+{ord(match[0]):04X}")
    source.repaired[number] = _FORBIDDEN.sub(" ", source.repaired[number])


def _odd_spaces(source: Source, number: int) -> None:
    """Replace other Unicode spaces where YAML needs U+0020: in the indentation, after a dash, after a colon."""
    line = source.repaired[number]
    if not _ODD_SPACES.search(line):
        return
    lead = _LEAD.match(line)
    if (key := _KEY_LEAD.match(line)) and is_key(key[1]):
        lead = key
    if lead and (odd := _ODD_SPACES.search(lead[0])):
        source.report(number, odd.start(), len(odd[0]), "odd-space", char=f"U+{ord(odd[0][0]):04X}")
        source.replace_span(number, 0, lead.end(), _ODD_SPACES.sub(lambda spaces: " " * len(spaces[0]), lead[0]))


def _dashes(source: Source, number: int) -> None:
    line = source.repaired[number]
    if match := _BULLET.match(line):
        place = match.start(1)
        source.report(number, place, 1, "dash", char=match[1])
        source.replace_span(number, place, place + 1, "-" if line[place + 1].isspace() else "- ")
    elif (match := _TIGHT_DASH.match(line)) and _is_in_list(source, number, match.end() - 1):
        source.report(number, match.end() - 1, 1, "space-after-dash", word=line[match.end() :].rstrip())
        source.replace_span(number, match.end(), match.end(), " ")


def _is_in_list(source: Source, number: int, indent: int) -> bool:
    """Return whether a dash in this column begins a list item, by the lines around."""
    if (key := _KEY_AHEAD.match(source.repaired[number], indent + 1)) and is_key(key[1]):
        return True
    before = _first_written(source.repaired[line] for line in range(number - 1, -1, -1))
    after = _first_written(source.lines[line] for line in range(number + 1, len(source.lines)))
    if _OPEN_KEY.search(before):
        return True
    return any(_LIST_ITEM.match(line) and line.index("-") == indent for line in (before, after))


def _first_written(lines: Iterable[str]) -> str:
    return next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")


def _colons(source: Source, number: int) -> None:
    match = _TIGHT_COLON.match(source.repaired[number])
    if not match or not is_key(match[1]):
        return
    sign, at, space = match[2], match.start(2), match[3] or source.repaired[number][match.end() :] == ""
    if sign == ":" and space:
        return
    key = {":": "space-after-colon", "：": "full-width-colon"}.get(sign, "equals-sign")
    source.report(number, match.start(1), at + len(sign) - match.start(1), key, word=match[1])
    source.replace_span(number, at, at + len(sign), ":" if space else ": ")


def _report_tabs(source: Source, numbers: list[int]) -> None:
    line = source.lines[numbers[0]]
    tab = line.index("\t")
    length = len(line[tab:]) - len(line[tab:].lstrip("\t"))
    place = Place(numbers[0] + 1, tab + 1, length)
    if len(numbers) == 1:
        source.problems.append(Problem.at(place, "tab"))
    else:
        source.problems.append(Problem.at(place, "tab/more", more=len(numbers) - 1))
