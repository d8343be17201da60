"""A rule opened in the form, and the rules file with the form's changes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from bot.rules.engine import FALLBACK
from bot.rules.language.slug import slug
from bot.rules.model.schema import RuleFile
from bot.rules.publishing import edit
from bot.web.console.formatting import gettext as _
from bot.web.console.rule_form import form_fields as forms

_ID_LENGTH: Final = 40


class NotOpened(Exception):
    """The form cannot show the rule; *line* is its line in the file, from 1, *reason* a sentence for the editor."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class UnknownRule(LookupError):
    """The file has no rule with that name."""


@dataclass(frozen=True, slots=True)
class OpenedRule:
    """A rule as it is in the file; *index* is None for a new rule."""

    content: bytes
    index: int | None
    fields: forms.Fields
    text: bytes

    @property
    def mark(self) -> str:
        """A digest that shows whether somebody else has changed the rule since."""
        return hashlib.sha256(self.text).hexdigest()

    def named(self, fields: forms.Fields) -> forms.Fields:
        """Return the fields with a name; a missing one is made from the first keyword, else the kind of event."""
        return fields if fields.get("id") else {"id": free_id(self.content, words_of(fields)), **fields}

    def written(self, fields: forms.Fields) -> bytes:
        """Return the file with the rule as in the form."""
        if self.index is None:
            return edit.add_rule(self.content, fields)
        return edit.change_rule(self.content, self.index, forms.changes(self.fields, fields))

    def place_in(self, written: bytes) -> edit.RuleText:
        """Return the position of the rule in a result of `written`."""
        return edit.rules_in(written)[-1 if self.index is None else self.index]


def opened(content: bytes, file: RuleFile | None, name: str, *, must_fit: bool = True) -> OpenedRule:
    """
    Return the rule with that name, or a new one for an empty name; *file* is the parsed *content*, None if invalid.

    Without *must_fit*, a rule is opened even if the form cannot show all of it.

    Raises:
        NotOpened: The form cannot show or change the rule.
        UnknownRule: There is no rule with that name.
    """
    if file is None:
        raise NotOpened(1, _("The rules file has errors: mend them here first."))
    try:
        rules = edit.rules_in(content)
    except edit.NotEditable as obstacle:
        raise NotOpened(obstacle.line, _("This file is not written in a way that the form can change.")) from obstacle
    if not name:
        return OpenedRule(content, None, {}, b"")
    if name == FALLBACK:
        raise NotOpened(_line_of_fallback(content), _("The form is for rules. Change the fallback here."))
    index = next((index for index, rule in enumerate(file.rules) if rule.id == name), None)
    if index is None or len(rules) != len(file.rules):
        raise UnknownRule(name)
    if must_fit and not forms.fits_form(file.rules[index]):
        raise NotOpened(rules[index].start + 1, _("The form cannot show all of this rule: change it here."))
    return OpenedRule(content, index, forms.fields_of_rule(file.rules[index]), rules[index].content)


def words_of(fields: forms.Fields) -> str:
    """Return the words to name a new rule by: its first keyword, else the kind of event."""
    words = [text for text, _match in forms.keyword_rows(fields.get("keywords", []))]
    return words[0] if words else str(fields.get("on", ""))


def _line_of_fallback(content: bytes) -> int:
    """Return the line, from 1, of the fallback; 1 if it is missing."""
    lines = content.decode(errors="replace").splitlines()
    return next((number for number, line in enumerate(lines, 1) if re.match(r"[\"']?fallback\b", line)), 1)


def copied(content: bytes, index: int, new_id: str) -> bytes:
    """Return the file with a copy behind a rule, switched off: two rules alike would take each other's messages."""
    return edit.change_rule(edit.duplicate_rule(content, index, new_id), index + 1, {"enabled": "false"})


def free_id(content: bytes, words: str) -> str:
    """Return an id that no rule has."""
    taken = {rule.fields.get("id") for rule in edit.rules_in(content)}
    base = slug(words)[:_ID_LENGTH].strip("-") or "quy-tac"
    return next(name for number in range(1, len(taken) + 2) if (name := _numbered(base, number)) not in taken)


def _numbered(base: str, number: int) -> str:
    return base if number == 1 else f"{base}-{number}"
