"""Parse YAML into a tree of texts with positions, without implicit types, anchors and tags."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, cast

import yaml

from bot.rules.model.field_types import flow_list
from bot.rules.model.synonyms import is_key
from bot.rules.problem import Place, Problem
from bot.rules.reading import sections

if TYPE_CHECKING:
    from yaml import Mark

    from bot.rules.reading.source import Source

MAX_DEPTH = 20
MAX_PARTS = 100_000  # keys, values and lists: three times as many as 10,000 keywords need
_MAX_PROBLEMS = 500  # more of them, and it is not a rules file
_MAX_STEPS_BACK = 3
_FAST: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CURLY = re.compile("[“”„‟‘‚‛«»]([^“”„‟«»]*)[“”„‟’‘»]?|([^“”„‟«»]*[^0-9“”„‟«»])[“”»]")
_LISTS = frozenset({"keywords", "exclude", "examples", "not_examples", "oa", "days"})
_QUESTION_IN_BRACKETS = re.compile(r"\?(?=\s*[,\]}])")
_STRAY = re.compile("[\u200b\u200e\u200f\u2060\ufeff\u00ad]")
_HIDDEN = re.compile(r"\s+(#[^\s#]\S*)\s*$")
_DASH = re.compile(r"( *)-\s")
_TIGHT = re.compile(r"(\w+)([:：])(.+)", re.DOTALL)


class ScalarNode(NamedTuple):
    """A text as typed. *hidden* is a single word after it that a ``#`` turned into a comment."""

    text: str
    place: Place
    quoted: bool = False
    broken: bool = False  # already reported
    hidden: ScalarNode | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed here."""
        return not self.text and not self.quoted


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list, with the place of its first character."""

    items: list[Node]
    place: Place
    is_flow: bool = False  # between brackets


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys with values, in the order of the file; the first of two equal keys counts."""

    entries: dict[str, Entry]
    place: Place

    def get(self, key: str) -> Node | None:
        """Return the value of *key*, or None."""
        entry = self.entries.get(key)
        return entry.value if entry else None

    def rename(self, key: str, other: str) -> None:
        """Rename *key* to *other*."""
        self.entries[other] = self.entries.pop(key)


class Entry(NamedTuple):
    """One key of a mapping and its value."""

    key: ScalarNode
    value: Node


Node = ScalarNode | SequenceNode | MappingNode


@dataclass(slots=True)
class _OpenNode:
    """A list or mapping that is not complete; *key* is the key whose value comes next."""

    node: SequenceNode | MappingNode
    key: ScalarNode | None = None
    skips: bool = False  # the key is a list or mapping: its value is dropped


@dataclass(slots=True)
class _Builder:
    source: Source
    problems: list[Problem] = field(default_factory=list)
    root: Node | None = None
    stack: list[_OpenNode] = field(default_factory=list)
    parts: int = 0

    def take(self, event: yaml.Event) -> bool:
        """Add *event* to the tree; return False at the end."""
        if len(self.problems) > _MAX_PROBLEMS:
            self.root = None
            return False
        if isinstance(event, yaml.NodeEvent) and self.is_one_too_many(event):
            self.root = None
            return False
        match event:
            case yaml.ScalarEvent():
                self.add(self.scalar(event))
            case yaml.AliasEvent():
                self.add(self.alias(event))
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                return self.open(event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self.stack.pop()
            case yaml.DocumentStartEvent() if self.root is not None:
                self.report("several-documents", *self.at(event), sign="---")
                return False
        return True

    def is_one_too_many(self, event: yaml.NodeEvent) -> bool:
        self.parts += 1
        if self.parts <= MAX_PARTS:
            return False
        self.report("too-big/parts", *self.at(event), thousands=MAX_PARTS // 1000)
        return True

    def open(self, event: yaml.CollectionStartEvent) -> bool:
        self.refuse_decoration(event)
        place = self.source.place(*self.at(event))
        node: SequenceNode | MappingNode
        node = (
            SequenceNode([], place, bool(event.flow_style))
            if isinstance(event, yaml.SequenceStartEvent)
            else MappingNode({}, place)
        )
        if len(self.stack) >= MAX_DEPTH:
            self.report("too-deep", *self.at(event))
            self.root = None
            return False
        self.add(node)
        self.stack.append(_OpenNode(node))
        return True

    def add(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        if isinstance(parent.node, SequenceNode):
            parent.node.items.append(node)
        elif parent.key is None and not parent.skips:
            self.add_key(parent, node)
        else:
            if parent.key is not None:
                self.add_value(parent.node, parent.key, node)
            parent.key, parent.skips = None, False

    def add_key(self, parent: _OpenNode, node: Node) -> None:
        if isinstance(node, ScalarNode) and not node.broken and not node.is_empty:
            parent.key = node
            return
        parent.skips = True
        if not isinstance(node, ScalarNode) or not node.broken:
            self.problems.append(Problem.at(node.place, "complex-key"))

    def add_value(self, mapping: MappingNode, key: ScalarNode, value: Node) -> None:
        if isinstance(value, ScalarNode) and value.is_empty:
            tight = None if key.quoted else _TIGHT.fullmatch(key.text)
            if tight and is_key(tight[1]):
                code = "space-after-colon" if tight[2] == ":" else "full-width-colon"
                self.problems.append(Problem.at(key.place, code, word=tight[1]))
                text = tight[3].strip("\"'")
                key, value = ScalarNode(tight[1], key.place), ScalarNode(text, key.place, quoted=True)
            else:
                value = ScalarNode("", key.place, hidden=value.hidden)
        if first := mapping.entries.get(key.text):
            code = "duplicate-key/rule" if key.text == "id" else "duplicate-key"
            self.problems.append(Problem.at(key.place, code, word=key.text, line=first.key.place.line))
            return
        mapping.entries[key.text] = Entry(key, value)

    def scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        broken = self.refuse_decoration(event)
        line, column, length = self.at(event)
        quoted = bool(event.style)
        text = event.value
        place = self.source.place(line, column, length)
        hidden = None if quoted else self.hidden(event)
        broken = (not quoted and self.joins_lines(event)) or broken
        if not quoted and (curly := _CURLY.fullmatch(text)):
            self.report("curly-quotes", line, column, length)
            text, quoted = curly[1] or curly[2] or "", True
        if not quoted and not text:
            place = self.source.place(line, max(column - 1, 0))
        return ScalarNode(_STRAY.sub("", text), place, quoted, broken, hidden)

    def joins_lines(self, event: yaml.ScalarEvent) -> bool:
        """Report a text continued over lines that begin with a dash, or that are items without one."""
        start, end = _marks(event)
        if start.line == end.line:
            return False
        first = _DASH.match(self.source.repaired[start.line]) if start.line < len(self.source.repaired) else None
        in_list = bool(self.stack) and isinstance(self.stack[-1].node, SequenceNode)
        if in_list and not first:  # between brackets
            return False
        last = min(end.line + (end.column > 0), len(self.source.repaired))
        below = [line for line in range(start.line + 1, last) if self.source.repaired[line].strip()]
        for line in below:
            if dash := _DASH.match(self.source.repaired[line]):
                wanted = len(first[1]) if first else len(dash[1])
                key = "indentation/dash" if first else "dash-on-line/below"
                self.report(key, line, len(dash[1]), 1, indent=len(dash[1]), wanted=wanted, word=event.value)
                return True
        if below and self.lists_lines(event, start.line, last):
            return True
        if below and in_list:
            words = self.source.repaired[below[0]]
            self.report(
                "indentation/joined", below[0], len(words) - len(words.lstrip()), len(words.strip()), word=event.value
            )
        return False

    def lists_lines(self, event: yaml.ScalarEvent, first: int, last: int) -> bool:
        """Report lines without dashes where a list is needed."""
        key = self.stack[-1].key if self.stack else None
        if key is None or key.text not in _LISTS:
            return False
        lines = [self.source.repaired[line] for line in range(first, last)]
        column = self.at(event)[1]
        items = [text for line in [lines[0][column:], *lines[1:]] if (text := line.partition(" #")[0].strip())]
        self.report("not-a-list/near", *self.at(event), key=key.text, near=flow_list(items))
        return True

    def hidden(self, event: yaml.ScalarEvent) -> ScalarNode | None:
        """Return the ``#word`` right after the text, if nothing else follows."""
        _, end = _marks(event)
        line, column = end.line, end.column
        if line >= len(self.source.repaired):
            return None
        found = _HIDDEN.match(self.source.repaired[line], column)
        return ScalarNode(found[1], self.source.place(line, found.start(1), len(found[1]))) if found else None

    def alias(self, event: yaml.AliasEvent) -> ScalarNode:
        line, column, length = self.at(event)
        self.report("alias", line, column, length, word="*" + (event.anchor or ""))
        return ScalarNode(event.anchor or "*", self.source.place(line, column, length), broken=True)

    def refuse_decoration(self, event: yaml.NodeEvent) -> bool:
        """Report an anchor or a tag; return whether there was one."""
        tag = getattr(event, "tag", None)
        if event.anchor is not None:
            self.report("anchor", *self.at(event)[:2], len(event.anchor) + 1, word="&" + event.anchor)
        if tag is not None:
            self.report("tag", *self.at(event)[:2], 1)
        return event.anchor is not None or tag is not None

    def at(self, event: yaml.Event) -> tuple[int, int, int]:
        """Return line, column (from 0) and length of *event* on its first line."""
        start, end = _marks(event)
        if start.line >= len(self.source.repaired):
            last = len(self.source.repaired) - 1
            return last, len(self.source.repaired[last]), 1
        line = self.source.repaired[start.line]
        stop = end.column if end.line == start.line else len(line.rstrip())
        return start.line, start.column, max(stop - start.column, 1)

    def report(self, code: str, line: int, column: int, length: int, **args: str | int) -> None:
        self.problems.append(Problem.at(self.source.place(line, column, length), code, **args))


def _marks(event: yaml.Event) -> tuple[Mark, Mark]:
    """Return the start and end of *event*; parsed events always have them."""
    return cast("Mark", event.start_mark), cast("Mark", event.end_mark)


def build(source: Source) -> tuple[Node | None, list[Problem]]:
    """
    Return the tree of the text (None if it is empty) and the problems.

    Raises:
        yaml.MarkedYAMLError: The text is not YAML.
    """
    try:
        return _build(source, source.text, _FAST)
    except yaml.YAMLError as error:
        # The pure Python parser is slow, but locates errors best.
        if (shorter := _without_sound_rules(source, error)) is not None:
            _build(source, _for_slow_reader(shorter), yaml.SafeLoader)
        _build(source, _for_slow_reader(source.text), yaml.SafeLoader)
        raise


def _build(
    source: Source, text: str, reader: type[yaml.SafeLoader | yaml.CSafeLoader]
) -> tuple[Node | None, list[Problem]]:
    builder = _Builder(source)
    for event in yaml.parse(text, reader):
        if not builder.take(event):
            break
    return builder.root, builder.problems


def _for_slow_reader(text: str) -> str:
    """Return the text without question marks that end items in brackets: the slow parser reads them as keys."""
    return _QUESTION_IN_BRACKETS.sub("x", text)


def _without_sound_rules(source: Source, error: yaml.YAMLError) -> str | None:
    """Return the text without the rules between the first and the error; None if there are none."""
    for _ in range(_MAX_STEPS_BACK):
        sound = sections.rules_before(source.repaired, _line_of(error))
        if not sound or _fault_in(source, sound.start):
            break
        before = _fault_in(source, sound.stop)
        if before is None:
            rest = list(source.repaired)
            sections.blank(rest, sound)
            return replace(source, repaired=rest).text
        error = before  # a quote or bracket is open since then
    return None


def _fault_in(source: Source, lines: int) -> yaml.YAMLError | None:
    """Return the YAML error in the first *lines* alone; None if they are valid."""
    try:
        deque(yaml.parse(replace(source, repaired=source.repaired[:lines]).text, _FAST), maxlen=0)
    except yaml.YAMLError as error:
        return error
    return None


def _line_of(error: yaml.YAMLError) -> int:
    """Return the line, from 0, of a YAML error; -1 if it has none."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return -1
    is_open = "flow" in (error.context or "") or "quoted" in (error.context or "")
    mark = error.context_mark if is_open else error.problem_mark
    return mark.line if mark else -1
