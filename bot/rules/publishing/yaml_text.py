"""Write values of a rules file as YAML: on one line if short, quoted if necessary, every scalar as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

import yaml

Value = str | list["Value"] | dict[str, "Value"]

_LINE_LENGTH: Final = 110
# Characters that need no quotes for any YAML reader, in flow style too.
_PLAIN: Final = re.compile(r"[^\W_](?:[\w ./%+-]*[\w%])?")


def entry_lines(key: str, value: Value, indent: int) -> list[str]:
    """
    Return a key with its value, as lines without line ends.

    >>> entry_lines("keywords", ["bảng giá", "giá: 50k"], 4)
    ['    keywords: [bảng giá, "giá: 50k"]']
    >>> entry_lines("reply", [{"file": "1.jpg"}, {"file": "2.jpg"}], 2)
    ['  reply:', '    - {file: 1.jpg}', '    - {file: 2.jpg}']
    """
    head = f"{' ' * indent}{key}:"
    line = f"{head} {flow(value)}"
    if (not _needs_lines(value) and len(line) <= _LINE_LENGTH) or not value or isinstance(value, str):
        return [line]
    return [head, *_block_lines(value, indent + 2)]


def flow(value: Value) -> str:
    """Return a value in flow style, on one line."""
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return "{" + ", ".join(f"{key}: {flow(one)}" for key, one in value.items()) + "}"


def scalar(text: str) -> str:
    """Return a text plain or quoted, with escapes for invisible characters."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(one if one.isprintable() else _escaped(one) for one in json.dumps(text, ensure_ascii=False))


def plain(node: yaml.Node) -> Value:
    """Return the value of a node, all scalars as text; of duplicate keys the first."""
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Value] = {}
        for key, value in node.value:
            found.setdefault(str(key.value), plain(value))
        return found
    return str(node.value)


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08x}"


def _needs_lines(value: Value) -> bool:
    """Return whether a value needs several lines to be readable: it has several mappings."""
    if isinstance(value, dict):
        return any(map(_needs_lines, value.values()))
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(item, dict) and "text" not in item for item in value)
    )


def _block_lines(value: Value, indent: int) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield f"{' ' * indent}- {flow(item)}"
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from entry_lines(key, one, indent)
