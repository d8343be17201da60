"""Load a rules file: any bytes become models or problems, never an exception."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.rules.model.schema import RuleFile
from bot.rules.problem import Place, Problem, in_order
from bot.rules.reading import cross_field, model_errors, sections, source, yaml_errors, yaml_tree
from bot.rules.reading.source import Source
from bot.rules.reading.yaml_tree import Entry, MappingNode, Node, ScalarNode, SequenceNode

_RECOVERY_LIMIT = 200_000
_MAX_RECOVERIES = 10
_MAX_ERRORS = 1_000  # reported; nobody reads more
_MAX_TAB_INDENTED = 100
_MAX_RENAMINGS = 3


@dataclass(frozen=True, slots=True)
class Places:
    """The positions of the parts of a `RuleFile` in the file."""

    _root: Node
    _kept: tuple[int, ...]

    @classmethod
    def nowhere(cls, rules: int) -> Places:
        """Return places for rules that are in no file: line 1 for everything."""
        return cls(ScalarNode("", Place(1, 1)), tuple(range(rules)))

    def at(self, *path: str | int) -> Place:
        """Return the place of a part, such as ``at("rules", 0, "keywords", 2)``."""
        return model_errors.place_of(self._root, self._in_file(path))

    def under(self, *path: str | int) -> Places:
        """Return the places within a part: ``under("rules", 0).at("id")`` is ``at("rules", 0, "id")``."""
        return Places(model_errors.resolve(self._root, self._in_file(path)), ())

    def _in_file(self, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
        match path:
            case "rules", int(index), *rest:
                return "rules", self._kept[index], *rest
        return path


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of loading a rules file."""

    file: RuleFile | None
    """None if there is any error."""
    problems: tuple[Problem, ...]
    digest: str
    """SHA-256 of the bytes, in hex."""
    part: RuleFile | None
    """The file without the rules that have errors: for finding more problems, never for answering."""
    places: Places
    """The places of *part*."""


def load(data: bytes) -> Loaded:
    """Return the rules file, or all syntax and field errors; accepts any bytes."""
    digest = hashlib.sha256(data).hexdigest()
    text = source.read(data)
    root, problems = _root(text)
    if root is None:
        return Loaded(None, in_order(problems), digest, None, Places.nowhere(0))
    file, errors = _modelled(root)
    for _ in range(_MAX_RENAMINGS):  # the values under a renamed key are checked only in the next round
        unknown = model_errors.rename_keys(errors[:_MAX_ERRORS], root)
        problems += unknown
        file, errors = _modelled(root) if unknown else (file, errors)
    problems += model_errors.problems_of(errors[:_MAX_ERRORS], root)
    problems += cross_field.contradictions(root)
    part, kept = (file, tuple(range(len(file.rules)))) if file else _sound_part(root, errors)
    complete = None if any(problem.severity == "error" for problem in problems) else file
    return Loaded(complete, in_order(problems), digest, part, Places(root, kept))


def _root(text: Source) -> tuple[MappingNode | None, list[Problem]]:
    """Return the tree of the file if it is a mapping, and the problems."""
    if not text.readable:
        return None, text.problems
    if not any(line.strip() for line in text.lines):
        return None, [Problem.at(Place(1, 1), "empty-file")]
    root, problems = _tree(text)
    problems += text.problems
    match root:
        case MappingNode():
            return root, problems
        case SequenceNode():
            problems.append(Problem.at(root.place, "no-top/list"))
        case ScalarNode(text="") | None if not problems:
            problems.append(Problem.at(Place(1, 1), "empty-file/comments"))
        case ScalarNode() if not problems:
            problems.append(Problem.at(root.place, "no-top", word=root.text))
    return None, problems


def _tree(text: Source) -> tuple[Node | None, list[Problem]]:
    """Parse the YAML; leave out rules that cannot be parsed, so that the others are checked."""
    unreadable: list[Problem] = []
    left_out = bool(text.tab_indented)
    if not _leave_out_tab_indented(text):
        return None, unreadable
    for _ in range(_MAX_RECOVERIES):
        try:
            root, problems = yaml_tree.build(text)
        except yaml.MarkedYAMLError as error:
            problem = yaml_errors.explain_yaml_error(error, text)
            block = sections.rule_around(text.repaired, problem.line - 1) if len(text.text) < _RECOVERY_LIMIT else None
            if not _has_slip(text, block or range(problem.line - 2, problem.line)):
                unreadable.append(problem)
            if block is None:
                break
            sections.blank(text.repaired, block)
            left_out = True
        else:
            if left_out:
                _ignore_emptied_rules(root)
            return root, unreadable + problems
    return None, unreadable


def _leave_out_tab_indented(text: Source) -> bool:
    """Leave out the rules with lines of unknown indentation; return False if some lines are outside the rules."""
    if len(text.tab_indented) > _MAX_TAB_INDENTED:
        return False
    for line in text.tab_indented:
        block = sections.rule_around(text.repaired, line) if text.repaired[line] else range(0)
        if block is None:
            return False
        sections.blank(text.repaired, block)
    return True


def _has_slip(text: Source, block: range) -> bool:
    """Return whether something in these lines was repaired: then that explains the error."""
    return any(problem.line - 1 in block for problem in text.problems)


def _ignore_emptied_rules(root: Node | None) -> None:
    """Drop the error of a list that is empty only because its rules were left out."""
    match root:
        case MappingNode(entries={"rules": Entry(value=ScalarNode(text="") as nothing) as entry}):
            root.entries["rules"] = entry._replace(value=nothing._replace(broken=True))


def _modelled(root: MappingNode) -> tuple[RuleFile | None, list[ErrorDetails]]:
    """Return the file, or all errors of the models."""
    try:
        return RuleFile.model_validate(_plain(root), by_alias=True, by_name=False), []
    except ValidationError as error:
        return None, model_errors.errors_of(error)


def _plain(node: Node) -> Any:
    """Return the tree as plain Python objects; every scalar is text."""
    match node:
        case ScalarNode():
            return node.text
        case SequenceNode():
            return [_plain(item) for item in node.items]
        case MappingNode():
            return {key: _plain(entry.value) for key, entry in node.entries.items()}


def _sound_part(root: MappingNode, errors: list[ErrorDetails]) -> tuple[RuleFile | None, tuple[int, ...]]:
    """Return the file without its faulty rules, and the indices of the remaining ones."""
    data = _plain(root)
    rules = data.get("rules")
    bad = {error["loc"][1] for error in errors if error["loc"][0] == "rules" and len(error["loc"]) > 1}
    for error in errors:
        if error["loc"][0] != "rules":
            data.pop(error["loc"][0], None)
    if not isinstance(rules, list):
        return None, ()
    kept = tuple(index for index in range(len(rules)) if index not in bad)
    try:
        part = RuleFile.model_validate(
            {**data, "rules": [rules[index] for index in kept]}, by_alias=True, by_name=False
        )
    except ValidationError:
        return None, ()
    return part, kept
