"""Cut a rules file into sections, one for each rule and each key beside the rules, and put them together again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from bot.rules.publishing.edit import LOADER, NotEditable, last_line, rules_in

_RULES: Final = "rules:"


@dataclass(frozen=True, slots=True)
class Section:
    """Some lines of a file, with their line ends."""

    name: str
    """The id of the rule, or the key with its colon."""
    lead: str
    """The comments and empty lines above it, back to the section before."""
    body: str

    @property
    def text(self) -> str:
        """The whole section."""
        return self.lead + self.body


@dataclass(frozen=True, slots=True)
class Sections:
    """A whole file."""

    keys: tuple[Section, ...]
    """The top-level keys; for ``rules`` only its own line."""
    rules: tuple[Section, ...]
    tail: str
    """The lines below the last section."""

    @property
    def text(self) -> str:
        """The text of the file."""
        return "".join(part for key in self.keys for part in self._parts(key)) + self.tail

    def _parts(self, key: Section) -> Iterator[str]:
        yield key.text
        if key.name == _RULES:
            yield from (rule.text for rule in self.rules)


def cut(text: str) -> Sections:
    """
    Return the sections of a file whose lines end in \\n, the last one too.

    Raises:
        NotEditable: Sections share a line, or rules have no unique id.
    """
    rules = rules_in(text.encode())
    ids = [str(rule.fields.get("id", "")) for rule in rules]
    if "" in ids or len(set(ids)) < len(ids):
        raise NotEditable
    lines = text.splitlines(keepends=True)
    keys: list[Section] = []
    cut_rules: list[Section] = []
    done = 0
    for name, start, end in _keys(text):
        keys.append(_section(lines, name, done, start, start + 1 if name == _RULES else end))
        done = start + 1 if name == _RULES else end
        for rule_id, rule in zip(ids, rules, strict=True) if name == _RULES else ():
            cut_rules.append(_section(lines, rule_id, done, rule.start, rule.end))
            done = rule.end
    return Sections(tuple(keys), tuple(cut_rules), "".join(lines[done:]))


def _section(lines: list[str], name: str, done: int, start: int, end: int) -> Section:
    if start < done:
        raise NotEditable(start + 1)
    return Section(name, "".join(lines[done:start]), "".join(lines[start:end]))


def _keys(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each top-level key with the numbers of its first line and of the line after its last."""
    root = yaml.compose(text, LOADER)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise NotEditable
    if len({str(key.value) for key, _ in root.value}) < len(root.value):
        raise NotEditable
    for key, value in root.value:
        if key.start_mark.column:
            raise NotEditable(key.start_mark.line + 1)
        yield f"{key.value}:", key.start_mark.line, max(last_line(key), last_line(value)) + 1
