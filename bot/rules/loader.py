"""The bytes of a rules file become models or problems: any bytes, no exception."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.rules import consistency, source, syntax, translate, tree
from bot.rules.problem import Place, Problem, in_order
from bot.rules.schema import RuleFile
from bot.rules.source import Source
from bot.rules.tree import Entry, Mapping, Node, Scalar, Sequence

_RECOVERY_LIMIT = 200_000
_MOST_RECOVERIES = 10
_MOST_ERRORS = 1_000
_RULES = re.compile(r"rules\s*:")
_DASH = re.compile(r"( *)-(\s|$)")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of a `RuleFile` stand in the file."""

    _root: Node
    _kept: tuple[int, ...]

    def at(self, *path: str | int) -> Place:
        """Return the place of a part, as ``at("rules", 0, "keywords", 2)``."""
        match path:
            case "rules", int(index), *rest:
                path = "rules", self._kept[index], *rest
        return translate.place_of(self._root, path)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a rules file says."""

    file: RuleFile | None
    """None if there is any error."""
    problems: tuple[Problem, ...]
    digest: str
    """SHA-256 of the bytes, in hex."""
    part: RuleFile | None
    """The file without the rules that have errors: enough to look for more problems, never to answer with."""
    places: Places
    """The places of *part*."""


def load(data: bytes) -> Loaded:
    """Return the rules file, or everything that is wrong with its form; any bytes will do."""
    digest = hashlib.sha256(data).hexdigest()
    text = source.read(data)
    root, problems = _root(text)
    if root is None:
        return Loaded(None, in_order(problems), digest, None, Places(Scalar("", Place(1, 1)), ()))
    errors = _errors(root)
    problems += translate.rename_keys(errors, root)
    errors = _errors(root)
    problems += translate.problems_of(errors, root)
    problems += consistency.contradictions(root)
    part, kept = _sound_part(root, errors)
    complete = part if not any(problem.severity == "error" for problem in problems) else None
    return Loaded(complete, in_order(problems), digest, part, Places(root, kept))


def _root(text: Source) -> tuple[Mapping | None, list[Problem]]:
    """Return the tree of a file that has a form at all."""
    if not text.readable:
        return None, text.problems
    if not any(line.strip() for line in text.lines):
        return None, [Problem.at(Place(1, 1), "empty-file")]
    root, problems = _tree(text)
    problems += text.problems
    match root:
        case Mapping():
            return root, problems
        case Sequence():
            problems.append(Problem.at(root.place, "no-top/list"))
        case Scalar(text="") | None if not problems:
            problems.append(Problem.at(Place(1, 1), "empty-file/comments"))
        case Scalar() if not problems:
            problems.append(Problem.at(root.place, "no-top", word=root.text))
    return None, problems


def _tree(text: Source) -> tuple[Node | None, list[Problem]]:
    """Read the YAML; a rule that cannot be read is left out, so that the others can be looked at."""
    unreadable: list[Problem] = []
    for _ in range(_MOST_RECOVERIES):
        try:
            root, problems = tree.build(text)
        except yaml.MarkedYAMLError as error:
            unreadable.append(syntax.explain(error, text))
            if len(text.text) > _RECOVERY_LIMIT or not _blank_rule(text, unreadable[-1].line - 1):
                break
        else:
            if unreadable:
                _excuse_rules(root)
            return root, unreadable + problems
    return None, unreadable


def _excuse_rules(root: Node | None) -> None:
    """Say nothing of a list that is empty only because its rules were left out."""
    match root:
        case Mapping(entries={"rules": Entry(value=Scalar(text="") as nothing) as entry}):
            root.entries["rules"] = replace(entry, value=replace(nothing, broken=True))


def _blank_rule(text: Source, line: int) -> bool:
    """Empty the lines of the rule that *line* belongs to; return False if there is none."""
    start = next((n for n, words in enumerate(text.mended) if _RULES.match(words)), len(text.mended))
    items = [(n, match) for n, words in enumerate(text.mended) if n > start and (match := _DASH.match(words))]
    if not items:
        return False
    indent = items[0][1].end(1)
    bounds = [n for n, match in items if match.end(1) <= indent]
    bounds += [n for n, words in enumerate(text.mended) if n > start and re.match(r"[^\s#-]", words)]
    first = max((n for n in bounds if n <= line), default=None)
    if first is None:
        return False
    last = min((n for n in bounds if n > line), default=len(text.mended))
    text.mended[first:last] = [""] * (last - first)
    return True


def _errors(root: Mapping) -> list[ErrorDetails]:
    """Return what the models say; of a file with thousands of errors, of its first parts only."""
    error = _failure(root)
    if error is not None and error.error_count() > _MOST_ERRORS:
        tree.cut(root, _MOST_ERRORS)
        error = _failure(root)
    return translate.errors_of(error) if error else []


def _failure(root: Mapping) -> ValidationError | None:
    try:
        RuleFile.model_validate(_plain(root), by_alias=True, by_name=False)
    except ValidationError as error:
        return error
    return None


def _plain(node: Node) -> Any:
    """Return the tree as the models take it: every scalar is text."""
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return [_plain(item) for item in node.items]
        case Mapping():
            return {key: _plain(entry.value) for key, entry in node.entries.items()}


def _sound_part(root: Mapping, errors: list[ErrorDetails]) -> tuple[RuleFile | None, tuple[int, ...]]:
    """Return the file without what has errors, and which of its rules are left."""
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
