"""Explain YAML syntax errors in an editor's terms instead of the parser's."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from bot.rules.model.field_types import quote_text
from bot.rules.model.synonyms import is_key
from bot.rules.problem import Problem
from bot.rules.reading.nesting_slips import is_yaml

if TYPE_CHECKING:
    from yaml import Mark, MarkedYAMLError

    from bot.rules.reading.source import Source

_CLOSING = {"[": "]", "{": "}"}
_HASH = re.compile(r"[\s\[{,](#[^\s#,\]}]+).*[,\]}]")
_OPENED = re.compile(r"""(?:^|[\[{,]|[:-]\s)\s*(["'])|\s#""")
_CURLY = re.compile("[“”„‟«»]")
_KEY = re.compile(r" *(?:- +)*([\w-]+|\"[^\"]*\"|'[^']*') *:(?:\s|$)")
_IN_BRACKETS = re.compile(r"""[^\s"'][^,:\]}]*|"[^"]*"?|'[^']*'?""")
_ITEM = re.compile(r"( *)-\s+")
_FARTHEST_INDENT = 3
_STARTS = ("alias", "anchor", "tag", "directive", "block scalar", "cannot start any token", "mapping keys")


def explain_yaml_error(error: MarkedYAMLError, source: Source) -> Problem:
    """Return the problem that caused *error*, at the place to correct."""
    return _Explainer(error, source).problem()


class _Explainer:
    """Finds the cause of one parser error in the lines around it."""

    def __init__(self, error: MarkedYAMLError, source: Source) -> None:
        self.source = source
        self.context = error.context or ""
        self.message = error.problem or ""
        self.line, self.column = self._position(error.problem_mark or error.context_mark)
        self.from_line, self.from_column = self._position(error.context_mark or error.problem_mark)

    def _position(self, mark: Mark | None) -> tuple[int, int]:
        """Return line and column from 0 within the text: the end of a file is the end of its last non-blank line."""
        last = len(self.source.repaired) - 1
        line = min(mark.line, last) if mark else last
        at_end = mark is None or mark.line > last
        while at_end and line and not self.source.repaired[line].strip():
            line -= 1
        return line, len(self.source.repaired[line].rstrip()) if at_end or mark is None else mark.column

    def problem(self) -> Problem:
        """Return the first explanation that fits, trying the most certain first."""
        found = (
            self.second_document()
            or self.hash_in_brackets()
            or self.curly_quotes()
            or self.escape()
            or self.quote()
            or self.bracket()
            or self.special_start()
            or self.colon()
            or self.indentation()
        )
        return found or self.at(self.line, self.column, 1, "not-yaml")

    def at(self, line: int, column: int, length: int, key: str, **args: str | int) -> Problem:
        return Problem.at(self.source.place(line, column, length), key, **args)

    def word_at(self, line: int, column: int) -> str:
        """Return the text from there to the next space, at least one character if there is one."""
        return re.split(r"\s", self.source.repaired[line][column:], maxsplit=1)[0]

    def hash_in_brackets(self) -> Problem | None:
        """Explain ``[giá, #km]``: the closing bracket is in a comment."""
        opening = self.opening()
        if opening is None:
            return None
        first, column, _ = opening
        for line in range(first, self.line + 1):
            start = column if line == first else 0
            if match := _HASH.search(self.source.repaired[line], start):
                return self.at(line, match.start(1), len(match[1]), "hash-comment", near=quote_text(match[1]))
        return None

    def curly_quotes(self) -> Problem | None:
        for line in (self.line, self.from_line):
            if match := _CURLY.search(self.source.repaired[line]):
                return self.at(line, match.start(), 1, "curly-quotes")
        return None

    def second_document(self) -> Problem | None:
        if "document start" not in self.message:
            return None
        ends = (line for line in range(self.line + 1) if self.source.repaired[line].rstrip() in {"...", "---"})
        line = next(ends, None)
        return (
            None if line is None else self.at(line, 0, 3, "several-documents", sign=self.source.repaired[line].rstrip())
        )

    def escape(self) -> Problem | None:
        if "escape" not in self.message:
            return None
        start = max(self.source.repaired[self.line].rfind("\\", 0, self.column + 1), 0)
        word = self.source.repaired[self.line][start : start + 2]
        return self.at(self.line, start, len(word), "bad-escape", word=word)

    def quote(self) -> Problem | None:
        """Explain an unclosed quote: errors in later lines only follow from it."""
        if "scanning a quoted" in self.context or "double-quoted" in self.context:
            sign = self.char_at(self.from_line, self.from_column)
            return self.unclosed(self.from_line, self.from_column, "unclosed-quote", "unclosed-quote/end", sign=sign)
        for line in range(self.line, max(self.line - 10, -1), -1):
            column = _unclosed(self.source.repaired[line])
            if column is not None:
                sign = self.source.repaired[line][column]
                return self.unclosed(line, column, "unclosed-quote", "unclosed-quote/end", sign=sign)
        before = self.source.repaired[self.line][: self.column].rstrip()
        word = self.source.repaired[self.line][self.column :].rstrip()
        if "flow" in self.context or "<scalar>" not in self.message or not before.endswith(('"', "'", "]", "}")):
            return None
        key = "text-after-quote" if before.endswith(('"', "'")) else "text-after-quote/bracket"
        return self.at(self.line, self.column, len(word), key, word=word)

    def bracket(self) -> Problem | None:
        found = self.message.rpartition(" ")[2].strip("'")
        if found == "," and not self.message.startswith("expected ','"):
            return self.comma()
        opening = self.opening()
        line, column, sign = opening or (self.line, self.column, "")
        if found in {"]", "}"}:
            close = _CLOSING.get(sign, found)
            key = "stray-bracket" if close == found else "wrong-bracket"
            return self.at(self.line, self.column, 1, key, sign=found, opening=sign, close=close)
        if opening is None:
            return None
        if found == "-" and (self.line == line or self.after_comma()):
            return self.at(self.line, self.column, 1, "dash-on-line/brackets")
        if self.line == line and "stream end" not in self.message:
            return self.missing_comma()
        return self.unclosed(line, column, "unclosed-bracket", "unclosed-bracket/end", sign=sign, close=_CLOSING[sign])

    def unclosed(self, line: int, column: int, key: str, at_end: str, **args: str) -> Problem:
        """Explain an unclosed bracket or quote; on a last line without line end, the file was cut off."""
        return self.at(line, column, 1, at_end if self.is_cut_off(line) else key, **args)

    def is_cut_off(self, line: int) -> bool:
        return line == len(self.source.lines) - 1 and line > 0

    def comma(self) -> Problem:
        words = self.source.repaired[self.line]
        key = _KEY.match(words)
        if key and words[: self.column].rstrip().endswith(('"', "'")):
            value = words[key.end() :].strip()
            start = words.index(value, key.end())
            return self.at(self.line, start, len(value), "missing-brackets", near=f"[{value}]")
        return self.at(self.line, self.column, 1, "stray-comma")

    def after_comma(self) -> bool:
        """Return whether the lines above end with a comma inside brackets."""
        before = self.line_before()
        return before is not None and self.source.repaired[before].rstrip().endswith((",", "["))

    def opening(self) -> tuple[int, int, str] | None:
        """Return the line, column and sign of the open bracket; None if the error is outside of brackets."""
        if "flow" not in self.context:
            return None
        line, end = self.from_line, self.from_column + 1
        while line >= 0:
            words = self.source.repaired[line][:end]
            column = max(words.rfind("["), words.rfind("{"))
            if column >= 0:
                return line, column, words[column]
            line, end = line - 1, sys.maxsize
        return None

    def char_at(self, line: int, column: int) -> str:
        return self.source.repaired[line][column : column + 1]

    def missing_comma(self) -> Problem:
        line, column = self.source.repaired[self.line], self.column
        if "got ':'" in self.message and (before := re.search(r"[^\s,\[{]+\s*$", line[:column])):
            column = before.start()
        word = _IN_BRACKETS.match(line, column)
        length = word.end() - column if word else 1
        entry = line[column : column + length].strip("\"'")
        return self.at(self.line, column, length, "missing-comma", word=entry)

    def special_start(self) -> Problem | None:
        if not any(start in self.context or start in self.message for start in _STARTS):
            return None
        line, column = self.line, self.column
        if self.context and "simple key" not in self.context:
            line, column = self.from_line, self.from_column
        words = self.source.repaired[line]
        rest = words[column:].rstrip()
        if re.search(r"[\[{][^\]}]*$", words[:column]) and (inside := _IN_BRACKETS.match(words, column)):
            rest = inside[0].rstrip()
        if not rest:
            return None
        return self.at(line, column, len(rest), "special-start", sign=rest[0], near=quote_text(rest))

    def colon(self) -> Problem | None:
        line = self.source.repaired[self.line]
        if "sequence entries" in self.message:
            return self.at(self.line, self.column, 1, "dash-on-line")
        if "find expected ':'" in self.message:
            return self.no_colon(self.from_line, self.from_column)
        if "mapping values" not in self.message:
            return None
        before = self.line_before()
        if before is not None and not re.search(r":(\s|$)|^\s*-\s", self.source.repaired[before]):
            return self.no_colon(before, len(self.source.repaired[before]) - len(self.source.repaired[before].lstrip()))
        key = _KEY.match(line)
        return self.colon_in_value(line, key.end()) if key and key.end() <= self.column else None

    def colon_in_value(self, line: str, start: int) -> Problem:
        """Explain a second colon on the line: after one of our keys, or inside a text."""
        value = line[start:].strip()
        start = line.index(value, start)
        behind = re.search(r"(\w+)\s*:\s", value + " ")
        if behind and is_key(behind[1]):
            return self.at(self.line, start + behind.start(), len(behind[1]), "colon-in-text/two-keys", word=behind[1])
        if re.search(r"""(?:^|,\s*)["'].*,|,\s*["']""", value) and is_yaml(f"[{value}]"):
            return self.at(self.line, start, len(value), "missing-brackets", near=f"[{value}]")
        return self.at(self.line, start, len(value), "colon-in-text", near=quote_text(value))

    def line_before(self) -> int | None:
        """Return the last line above that is neither blank nor a comment."""
        above = range(self.line - 1, -1, -1)
        return next((n for n in above if re.match(r"\s*[^\s#]", self.source.repaired[n])), None)

    def no_colon(self, line: int, column: int) -> Problem:
        word = self.word_at(line, column)
        name, colon, _ = word.partition(":")
        key = "space-after-colon" if colon and re.fullmatch(r"[\w-]+", name) else "no-colon"
        if key == "no-colon" and self.is_cut_off(line):
            key = "no-colon/end"
        return self.at(line, column, len(word), key, word=name.strip("\"'"))

    def indentation(self) -> Problem | None:
        if not any(sign in self.message for sign in ("block end", "mapping values", "document start")):
            return None
        line = self.source.repaired[self.line]
        first = len(line) - len(line.lstrip())
        length = len(self.word_at(self.line, first))
        if not first:
            return self.at(self.line, first, length, "indentation/top", indent=first)
        wanted = self.wanted_indent(first)
        if wanted is None:
            return self.at(self.line, first, length, "indentation", indent=first)
        above, indent = wanted
        return self.at_indent(first, length, wanted=indent, above=above)

    def at_indent(self, first: int, length: int, *, wanted: int, above: int) -> Problem:
        place = self.source.place(self.line, first, length)
        return Problem.at(place, "indentation/wanted", indent=first, wanted=wanted, line=above + 1)

    def wanted_indent(self, indent: int) -> tuple[int, int] | None:
        """Return the closest indentation of the lines above that this line may need, with that line's number."""
        is_item = _ITEM.match(self.source.repaired[self.line]) is not None
        open_levels: list[tuple[int, int]] = []
        lowest = sys.maxsize
        for number in range(self.line - 1, -1, -1):
            words = self.source.repaired[number]
            item = _ITEM.match(words)
            if not words.strip() or words.lstrip().startswith("#"):
                continue
            columns = [len(item[1]), len(item[0])] if item else [len(words) - len(words.lstrip())]
            wanted = columns[0] if is_item else columns[-1]
            if columns[0] < lowest and bool(item) >= is_item:
                open_levels.append((number, wanted))
            lowest = min(lowest, columns[0])
            if lowest == 0:
                break
        near = min(open_levels, key=lambda level: abs(level[1] - indent), default=None)
        return near if near is not None and 0 < abs(near[1] - indent) <= _FARTHEST_INDENT else None


def _unclosed(line: str) -> int | None:
    """Return the column of a quote that is not closed on this line."""
    place = 0
    while (opening := _OPENED.search(line, place)) and opening[1]:
        start = opening.start(1)
        ended = _end_of_quoted(line, start)
        if ended is None:
            return start
        place = ended
    return None


def _end_of_quoted(line: str, start: int) -> int | None:
    sign, place = line[start], start + 1
    while place < len(line):
        if sign == '"' and line[place] == "\\":
            place += 1
        elif line[place] == sign:
            if sign == '"' or line[place + 1 : place + 2] != sign:
                return place + 1
            place += 1
        place += 1
    return None
