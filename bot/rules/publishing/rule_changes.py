"""Compare two versions of a rules file rule by rule: which were added, changed, removed, switched on or off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import yaml

from bot.rules.problem import text_of
from bot.rules.publishing.edit import LOADER
from bot.rules.publishing.yaml_text import Value, plain


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """The numbers of rules that a version adds, changes, removes … compared with another one."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    switched_on: int = 0
    switched_off: int = 0
    settings: int = 0
    """The number of changed keys beside ``rules``."""
    is_reordered: int = 0
    """1 if the order of the rules differs."""

    def __str__(self) -> str:
        return " ".join(f"{name}={count}" for name, count in asdict(self).items())

    @classmethod
    def read(cls, text: str) -> ChangeCounts | None:
        """Return the counts from the text that `str` returns; None if it is no such text."""
        names = "|".join(field.name for field in fields(cls))
        found = re.fullmatch(rf"((?:^| )(?:{names})=[0-9]{{1,6}})+", text)
        return (
            cls(**{name: int(count) for name, _, count in (one.partition("=") for one in text.split())})
            if found
            else None
        )


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """The differences between two versions: rule ids in the order of the file; comments do not count."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Includes rules with a new id, under that id."""
    removed: tuple[str, ...] = ()
    switched_on: tuple[str, ...] = ()
    switched_off: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    """The keys beside ``rules`` that changed, were added or removed."""
    is_reordered: bool = False
    """Whether the order of rules that are in both differs."""
    events_lost: tuple[str, ...] = ()
    """Removed or disabled rules for events other than texts; may include ``fallback``."""

    @property
    def loses_rules(self) -> bool:
        """Whether a rule or the fallback was removed or disabled."""
        return bool(self.removed or self.switched_off or self.events_lost)

    @property
    def counts(self) -> ChangeCounts:
        """The number of changes of each kind."""
        return ChangeCounts(
            added=len(self.added),
            changed=len(self.changed),
            removed=len(self.removed),
            switched_on=len(self.switched_on),
            switched_off=len(self.switched_off),
            settings=len(self.settings),
            is_reordered=int(self.is_reordered),
        )

    @property
    def is_empty(self) -> bool:
        """Whether there are no differences."""
        return self == RuleChanges()


def compare_rules(before: bytes | None, after: bytes) -> RuleChanges | None:
    """Return the differences of *after* from *before* (None: no file); None if one cannot be read rule by rule."""
    old, new = _read(before if before is not None else b"rules: []"), _read(after)
    if old is None or new is None:
        return None
    (old_settings, was), (new_settings, now) = old, new
    renamed = _renamed(was, now)
    both = [name for name in now if name in was]
    differ = [name for name in both if now[name] != was[name]]
    off = tuple(name for name in differ if not _is_off(was[name]) and _is_off(now[name]))
    on = tuple(name for name in differ if _is_off(was[name]) and not _is_off(now[name]))
    removed = tuple(name for name in was if name not in now and name not in renamed.values())
    settings = sorted(key for key in {*old_settings, *new_settings} if old_settings.get(key) != new_settings.get(key))
    return RuleChanges(
        added=tuple(name for name in now if name not in was and name not in renamed),
        changed=tuple(name for name in now if name in renamed or (name in differ and name not in {*on, *off})),
        removed=removed,
        switched_on=on,
        switched_off=off,
        settings=tuple(settings) if before is not None else (),
        is_reordered=both != [name for name in was if name in now],
        events_lost=(
            *(name for name in (*removed, *off) if str(was[name].get("on", "text")) != "text"),
            *(["fallback"] if "fallback" in old_settings and "fallback" not in new_settings else ()),
        ),
    )


def _read(content: bytes) -> tuple[Mapping[str, Value], Mapping[str, Mapping[str, Value]]] | None:
    """Return the keys of the file without its rules, and the rules that have a unique id, by id."""
    text = text_of(content)
    try:
        # Expanded aliases could exceed the memory; rules files must not have aliases.
        if "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, LOADER)):
            return None
        root = yaml.compose(text, LOADER)
        file = plain(root) if isinstance(root, yaml.MappingNode) else None
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    if not isinstance(file, dict):
        return None
    rules = file.pop("rules", [])
    rules = [] if rules == "" else rules
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        return None
    by_id = {str(rule.get("id", "")): rule for rule in rules if isinstance(rule, dict)}
    return (file, by_id) if len(by_id) == len(rules) else None


def _renamed(was: Mapping[str, Mapping[str, Value]], now: Mapping[str, Mapping[str, Value]]) -> dict[str, str]:
    """Return the former ids of rules that differ only in their id, by the new ids."""
    gone = {_without_id(rule): name for name, rule in was.items() if name not in now}
    new = {_without_id(rule): name for name, rule in now.items() if name not in was}
    return {name: gone[content] for content, name in new.items() if content in gone}


def _without_id(rule: Mapping[str, Value]) -> str:
    return repr(sorted((key, value) for key, value in rule.items() if key != "id"))


def _is_off(rule: Mapping[str, Value]) -> bool:
    return str(rule.get("enabled", "")).casefold() == "false"
