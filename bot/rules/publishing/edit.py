"""
Edit rules of a rules file in place: change, add, delete, duplicate; every other byte stays as it is.

Pure functions on the bytes of a file without errors. Only keys whose values change are written again, so that order,
style and comments of the editor stay. A comment within a changed value becomes a separate line beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import yaml

from bot.rules.publishing.yaml_text import Value, entry_lines, plain

#: The YAML loader; the one in C, if available.
LOADER: Final[type[yaml.SafeLoader | yaml.CSafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Line ends for YAML but not for editors, or the reverse: a program that counts them has other line numbers.
_ODD_LINE_ENDS: Final = re.compile("\r(?!\n)|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*$")
_BOM: Final = "\ufeff"


class NotEditable(Exception):
    """The file cannot be edited rule by rule; `line`, from 1, is the line that the editor must change by hand."""

    def __init__(self, line: int = 1) -> None:
        super().__init__(f"line {line}")
        self.line = line


@dataclass(frozen=True, slots=True)
class RuleText:
    """The position of a rule: its lines from the dash to its last text, counted from 0, the end exclusive."""

    start: int
    end: int
    fields: Mapping[str, Value]
    """Its values, all scalars as text."""
    content: bytes
    """Its lines."""


def rules_in(content: bytes) -> list[RuleText]:
    """
    Return the rules in the order of the file.

    Raises:
        NotEditable: Two rules share a line.
    """
    return [item.text for item in _File(content).items]


def change_rule(content: bytes, index: int, changes: Mapping[str, Value | None]) -> bytes:
    """
    Return the file with changed values in one rule; None removes a key, other keys stay.

    Raises:
        NotEditable: The rule is not written in a way that can be edited.
    """
    return change_rules(content, {index: changes})


def change_rules(content: bytes, changes: Mapping[int, Mapping[str, Value | None]]) -> bytes:
    """
    Return the file with changed values in several rules, by index; the file is parsed once.

    Raises:
        NotEditable: A rule is not written in a way that can be edited.
    """
    file = _File(content)
    for index in sorted(changes, reverse=True):  # from the end, so that earlier lines keep their numbers
        item = file.items[index]
        before = item.text.fields
        wanted = {key: value for key, value in changes[index].items() if before.get(key) != value}
        if wanted:
            rewritten = _flow_rule if item.node.flow_style else _block_rule
            file.replace(item.text.start, item.text.end, rewritten(file, item, wanted))
    return file.content


def add_rule(content: bytes, fields: Mapping[str, Value]) -> bytes:
    """
    Return the file with a rule added after the last one.

    Raises:
        NotEditable: There is no list of rules, or it stands between brackets.
    """
    return add_rules(content, [fields])


def add_rules(content: bytes, rules: Sequence[Mapping[str, Value]]) -> bytes:
    """
    Return the file with rules added in this order after the last one.

    Raises:
        NotEditable: There is no list of rules, or it stands between brackets.
    """
    file = _File(content)
    lines = [line for fields in rules for line in [""] * file.has_gaps + _new_rule(fields, file.indent)]
    if file.items:
        last = file.items[-1].text.end
        file.replace(last, last, lines)
    elif lines:
        file.put_first_rule(lines)
    return file.content


def duplicate_rule(content: bytes, index: int, new_id: str) -> bytes:
    """
    Return the file with a copy of a rule after it, including comments, under another id.

    Raises:
        NotEditable: The rule is not written in a way that can be edited.
    """
    file = _File(content)
    item = file.items[index].text
    copy = [line.rstrip("\r\n") for line in file.lines[item.start : item.end]]
    file.replace(item.end, item.end, [""] * file.has_gaps + copy)
    return change_rule(file.content, index + 1, {"id": new_id})


def delete_rule(content: bytes, index: int) -> bytes:
    """
    Return the file without a rule; comments above the rule stay.

    Raises:
        NotEditable: The rule is not written in a way that can be edited.
    """
    file = _File(content)
    item = file.items[index].text
    if len(file.items) == 1:
        file.empty_list(item)
    else:
        file.replace(item.start, item.end, [])
    return file.content


@dataclass(frozen=True, slots=True)
class _ParsedRule:
    node: yaml.MappingNode
    text: RuleText


class _File:
    """The lines of a file, and the positions of its rules."""

    def __init__(self, content: bytes) -> None:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise NotEditable from None
        if odd := _ODD_LINE_ENDS.search(text):
            raise NotEditable(text.count("\n", 0, odd.start()) + 1)
        self.bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.lines = text.splitlines(keepends=True)
        self.key, self.rules = _list_of_rules(text)
        self.indent = self.rules.start_mark.column if isinstance(self.rules, yaml.SequenceNode) else 2
        self.items = list(self._items())
        starts = [item.text.start for item in self.items]
        self.has_gaps = any(not self.lines[start - 1].strip() for start in starts[1:])
        if not self.items:
            self.indent = 2

    def _items(self) -> Iterator[_ParsedRule]:
        if not isinstance(self.rules, yaml.SequenceNode):
            return
        for node in self.rules.value:
            line = node.start_mark.line
            if self.rules.flow_style or not isinstance(node, yaml.MappingNode) or not node.value:
                raise NotEditable(line + 1)
            start = next((n for n in range(line, -1, -1) if self.lines[n][: self.indent + 1].strip() == "-"), None)
            if start is None or self.lines[start][: self.indent].strip():
                raise NotEditable(line + 1)
            end = last_line(node) + 1
            fields = plain(node)
            if not isinstance(fields, dict):
                raise NotEditable(line + 1)
            yield _ParsedRule(node, RuleText(start, end, fields, "".join(self.lines[start:end]).encode()))

    @property
    def content(self) -> bytes:
        """The present bytes of the file."""
        return f"{self.bom}{''.join(self.lines)}".encode()

    def replace(self, start: int, end: int, lines: Sequence[str]) -> None:
        """Replace some lines; *lines* have no line ends. The parsed positions are not updated."""
        new = [f"{line}{self.newline}" for line in lines]
        if new and end > start and not self.lines[end - 1].endswith("\n"):
            new[-1] = new[-1].removesuffix(self.newline)
        if new and start and not self.lines[start - 1].endswith("\n"):
            self.lines[start - 1] += self.newline
        self.lines[start:end] = new

    def put_first_rule(self, lines: Sequence[str]) -> None:
        """Add the first rule to the list, which is empty or ``[]``."""
        line, column = self.key.end_mark.line, self.key.end_mark.column
        rest = self.lines[line][column:].rstrip("\r\n")
        found = re.fullmatch(r"(\s*:)\s*(?:\[\s*\])?(\s*(?:#.*)?)", rest)
        if not found:
            raise NotEditable(line + 1)
        self.replace(line, line + 1, [f"{self.lines[line][:column]}{found[1]}{found[2]}", *lines])

    def empty_list(self, last: RuleText) -> None:
        """Replace the only rule with an empty list."""
        line, column = self.key.end_mark.line, self.key.end_mark.column
        found = re.fullmatch(r"(\s*:)(.*)", self.lines[line][column:].rstrip("\r\n"))
        if not found:
            raise NotEditable(line + 1)
        kept = [text.rstrip("\r\n") for text in self.lines[line + 1 : last.start]]
        self.replace(line, last.end, [f"{self.lines[line][:column]}{found[1]} []{found[2]}", *kept])


def _list_of_rules(text: str) -> tuple[yaml.ScalarNode, yaml.Node]:
    """Return the nodes of the key ``rules`` and of its value."""
    try:
        root = yaml.compose(text, LOADER)
    except yaml.MarkedYAMLError as error:
        raise NotEditable(error.problem_mark.line + 1 if error.problem_mark else 1) from None
    except (yaml.YAMLError, RecursionError):
        raise NotEditable from None
    if isinstance(root, yaml.MappingNode) and not root.flow_style:
        for key, value in root.value:
            if isinstance(key, yaml.ScalarNode) and key.value == "rules":
                is_empty = isinstance(value, yaml.ScalarNode) and not value.value
                if isinstance(value, yaml.SequenceNode) or is_empty:
                    return key, value
                raise NotEditable(key.start_mark.line + 1)
    raise NotEditable


def last_line(node: yaml.Node) -> int:
    """Return the line, from 0, of a node's last text; the end mark of a block is at the start of the next node."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        return max(max(last_line(key), last_line(value)) for key, value in node.value)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        return max(map(last_line, node.value))
    end = node.end_mark
    is_below = end.column == 0 and end.line > node.start_mark.line
    return int(end.line - is_below)


def _block_rule(file: _File, item: _ParsedRule, changes: Mapping[str, Value | None]) -> list[str]:
    """Return the lines of a rule in block style; those of unchanged keys stay as they are."""
    start, entries = item.text.start, item.node.value
    column, first = entries[0][0].start_mark.column, entries[0][0].start_mark.line
    own = [line.rstrip("\r\n") for line in file.lines[start : item.text.end]]
    dash, own[first - start] = own[first - start][:column], " " * column + own[first - start][column:]
    body: list[str] = []
    bounds = [*(key.start_mark.line for key, _ in entries), item.text.end]
    for (key, value), begin, stop in zip(entries, bounds, bounds[1:], strict=False):
        piece = own[begin - start : stop - start]
        if key.value in changes:
            words = max(last_line(key), last_line(value)) - begin + 1
            piece = _changed(changes[key.value], column, piece[:words], (key, value)) + piece[words:]
        body += piece
    known = {key.value for key, _ in entries}
    for name, new in changes.items():
        if name not in known and new is not None:
            body += entry_lines(name, new, column)
    if first > start:  # the dash has a line of its own
        return own[: first - start] + body
    return _with_dash(body, dash, column)


def _with_dash(body: list[str], dash: str, column: int) -> list[str]:
    """
    Return the lines with the dash and indentation of the former first key before the new first key.

    Comments above that key go above the dash, indented like it; below the key they could become part of its text.
    """
    number = next(n for n, line in enumerate(body) if line.strip() and not line.lstrip().startswith("#"))
    indent = " " * dash.index("-")
    comments = [f"{indent}{line.strip()}" for line in body[:number] if line.strip()]
    return [*comments, dash + body[number][column:], *body[number + 1 :]]


def _flow_rule(file: _File, item: _ParsedRule, changes: Mapping[str, Value | None]) -> list[str]:
    """Return the lines of a rule in braces as block style, one key per line."""
    fields = {key: value for key, value in {**item.text.fields, **changes}.items() if value is not None}
    own = [line.rstrip("\r\n") for line in file.lines[item.text.start : item.text.end]]
    kept = [f"{' ' * (file.indent + 2)}{comment}" for comment in _comments(own, item.text.start, [item.node])]
    first, *rest = _new_rule(fields, file.indent)
    return [first, *kept, *rest]


def _new_rule(fields: Mapping[str, Value], indent: int) -> list[str]:
    lines = [line for key, value in fields.items() for line in entry_lines(key, value, indent + 2)]
    return [f"{' ' * indent}- {lines[0].lstrip()}", *lines[1:]]


def _changed(new: Value | None, column: int, own: list[str], nodes: tuple[yaml.Node, yaml.Node]) -> list[str]:
    """Return the lines of a key with its new value, and the comments from within the old one."""
    key = nodes[0]
    comments = _comments(own, key.start_mark.line, list(nodes))
    lines = [] if new is None else entry_lines(str(key.value), new, column)
    if len(comments) == 1 and len(own) == 1 and len(lines) == 1:
        return [f"{lines[0]} {comments[0]}"]
    return lines + [f"{' ' * column}{comment}" for comment in comments]


def _comments(own: list[str], start: int, nodes: list[yaml.Node]) -> list[str]:
    """Return the comments in lines from *start* on; a # within a word or in quotes is not a comment."""
    content = [0] * len(own)
    for scalar in _ends(nodes):
        for line in range(scalar.start_mark.line, scalar.end_mark.line + 1):
            if start <= line < start + len(own):
                is_last = line == scalar.end_mark.line
                covered = scalar.end_mark.column if is_last else len(own[line - start])
                content[line - start] = max(content[line - start], covered)
    found = (_COMMENT.search(line, covered) for line, covered in zip(own, content, strict=True))
    return [comment[0].rstrip() for comment in found if comment]


def _ends(nodes: list[yaml.Node]) -> Iterator[yaml.Node]:
    """Yield the scalars of the nodes."""
    for node in nodes:
        if isinstance(node, yaml.ScalarNode):
            yield node
        elif isinstance(node, yaml.MappingNode):
            for pair in node.value:
                yield from _ends(list(pair))
        elif isinstance(node, yaml.SequenceNode):
            yield from _ends(node.value)
