"""Translate pydantic's errors into problems with our codes and positions in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from bot.rules.catalog.messages import MESSAGES
from bot.rules.model.field_types import flow_text, quote_text
from bot.rules.model.schema import Active, Fallback, FallbackImage, Image, Keyword, Rule, RuleFile
from bot.rules.model.synonyms import closest, is_key
from bot.rules.problem import Place, Problem, phrase
from bot.rules.reading.cross_field import head
from bot.rules.reading.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

_OWN_CODES = {
    "missing": "missing-key",
    "extra_forbidden": "unknown-key",
    "string_type": "not-text",
    "tuple_type": "not-a-list",
    "model_type": "not-a-mapping",
    "dict_type": "not-a-mapping",
}
_MODELS: dict[str, tuple[str, type[BaseModel]]] = {
    "": ("file", RuleFile),
    "rules": ("rule", Rule),
    "fallback": ("fallback", Fallback),
    "keywords": ("keyword", Keyword),
    "exclude": ("keyword", Keyword),
    "all_of": ("keyword", Keyword),
    "reply": ("image", Image),
    "images": ("image", Image),
    "one_of": ("image", Image),
    "else": ("else", FallbackImage),
    "active": ("active", Active),
}
_IMAGE_KEYS = frozenset({"image_url", "attachment_id", "file", "one_of"})
_TEXT_REPLIES = frozenset({"text", "message", "content", "noi_dung", "noidung", "tin_nhan", "chu", "van_ban"})
_MAX_SUGGESTIONS = 200  # each is compared with every known word


def errors_of(error: ValidationError) -> list[ErrorDetails]:
    """Return the errors one by one, without the refused values."""
    return error.errors(include_url=False, include_input=False)


def rename_keys(errors: Iterable[ErrorDetails], root: MappingNode) -> list[Problem]:
    """
    Report every unknown key, and rename it in the tree if the meaning is certain.

    Otherwise one wrong letter would also be reported as a missing key, and the value under it would not be checked.
    """
    problems: list[Problem] = []
    for number, error in enumerate(e for e in errors if e["type"] == "extra_forbidden"):
        mapping, key = resolve(root, error["loc"][:-1]), str(error["loc"][-1])
        if isinstance(mapping, MappingNode) and key in mapping.entries:
            problems.append(_unknown_key(mapping, key, error["loc"], guess=number < _MAX_SUGGESTIONS))
        else:
            problems.append(Problem.at(head(mapping), "bad-value", key=key))
    return problems


def _unknown_key(mapping: MappingNode, key: str, path: Path, *, guess: bool) -> Problem:
    name, model = _model_at(path[:-1])
    place = mapping.entries[key].key.place
    where = phrase("in-" + name)
    known = tuple(field.alias or name for name, field in model.model_fields.items())
    if name == "image" and "one_of" in mapping.entries:
        return Problem.at(place, "unknown-key/beside-one-of", word=key)
    if name == "image" and key in _TEXT_REPLIES:
        return Problem.at(place, "text-reply", word=key)
    near = closest(key, (*known, "one_of") if name == "image" else known, "key") if guess else None
    if near is not None and near != key and not (is_key(key) and key not in known):
        if near not in mapping.entries:
            mapping.rename(key, near)
        return Problem.at(place, "unknown-key/near", word=key, near=near, where=where)
    if name == "rule" and key in _IMAGE_KEYS:
        return Problem.at(place, "unknown-key/in-reply", word=key)
    if is_key(key) and (home := _home_of(key)):
        return Problem.at(place, "unknown-key/elsewhere", word=key, where=where, home=phrase("in-" + home))
    return Problem.at(place, "unknown-key", word=key, where=where, known=known)


def _home_of(key: str) -> str | None:
    """Return the name of the mapping that *key* belongs to."""
    for name, model in _MODELS.values():
        if key in {field.alias or own for own, field in model.model_fields.items()}:
            return name
    return "image" if key == "one_of" else None


def problems_of(errors: Iterable[ErrorDetails], root: MappingNode) -> Iterator[Problem]:
    """Yield a problem for every error except unknown keys."""
    for error in errors:
        if error["type"] != "extra_forbidden" and (problem := _problem(error, root)):
            yield problem


def _problem(error: ErrorDetails, root: MappingNode) -> Problem | None:
    path = error["loc"]
    key = _key_of(path)
    if error["type"] == "missing":
        mapping = resolve(root, path[:-1])
        if isinstance(mapping, MappingNode) and _has_strangers(mapping, path[:-1]):
            return None
        return Problem.at(head(mapping), f"missing-key/{path[-1]}")
    node = resolve(root, path)
    if isinstance(node, ScalarNode) and (node.broken or node.is_empty):
        return None if node.broken else _nothing(node, path, key)
    code = _OWN_CODES.get(error["type"], error["type"])
    if code == "not-a-mapping":
        name = _model_at(path)[0] if isinstance(path[-1], int) else key
        code = f"{code}/{name}" if f"{code}/{name}" in MESSAGES else code
    if code in {"not-a-mapping/keyword", "not-a-mapping/fallback"} and isinstance(node, SequenceNode):
        return _needless_list(code, node, resolve(root, path[:-1]), key)
    if code not in MESSAGES:
        return Problem.at(head(node), "bad-value", key=key)
    args = error.get("ctx", {}) if code == error["type"] else {}
    return Problem.at(head(node), code, **{"key": key, **args})


def _needless_list(code: str, node: SequenceNode, parent: Node, key: str) -> Problem:
    """Return the problem of a list within a list of keywords, or of a dash below fallback."""
    texts = [item.text for item in node.items if isinstance(item, ScalarNode)]
    in_brackets = isinstance(parent, SequenceNode) and parent.is_flow
    if code == "not-a-mapping/keyword" and in_brackets and len(texts) == len(node.items):
        return Problem.at(node.place, "not-a-mapping/keyword-list", near=", ".join(map(flow_text, texts)))
    if code == "not-a-mapping/fallback" and len(node.items) == 1 and isinstance(node.items[0], MappingNode):
        return Problem.at(node.place, "not-a-mapping/fallback-list")
    return Problem.at(node.place, code, key=key)


def _key_of(path: Path) -> str:
    """Return the key in the file for *path*: a keyword's text is an item of its list."""
    names = [step for step in path if isinstance(step, str) and step != "images"]
    in_list = len(path) > 1 and isinstance(path[-2], int) and path[-1] == "text"
    return names[-2] if in_list else names[-1]


def _has_strangers(mapping: MappingNode, path: Path) -> bool:
    """Return whether the mapping has an unknown key: it may be the missing one, misspelt."""
    _, model = _model_at(path)
    return bool(mapping.entries.keys() - {field.alias or name for name, field in model.model_fields.items()})


def _nothing(node: ScalarNode, path: Path, key: str) -> Problem:
    if node.hidden:
        return Problem.at(node.hidden.place, "hash-comment", near=quote_text(node.hidden.text))
    is_item = isinstance(path[-1], int) or (len(path) > 1 and isinstance(path[-2], int) and path[-1] == "text")
    return Problem.at(node.place, "empty-value/item" if is_item else "empty-value", key=key)


def _model_at(path: Path) -> tuple[str, type[BaseModel]]:
    return _MODELS[next((step for step in reversed(path) if isinstance(step, str)), "")]


def resolve(root: Node, path: Path) -> Node:
    """
    Return the node at *path*, a path in the models.

    The file has shorter forms (a text is a keyword): steps that are not in the file are skipped.
    """
    node = root
    for step in path:
        match node, step:
            case MappingNode(), "images":  # not a key of the file: the models' name for all forms of reply
                node = node.get("one_of") or node
            case MappingNode(), str() if found := node.get(step):
                node = found
            case SequenceNode(), int() if step < len(node.items):
                node = node.items[step]
    return node


def place_of(root: Node, path: Path) -> Place:
    """Return the place in the file of *path*, a path in the models."""
    return head(resolve(root, path))
