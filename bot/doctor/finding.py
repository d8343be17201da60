"""A finding of `bot doctor`: what was checked, its status, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, cast, get_args

from bot.files import format_sizes
from bot.i18n import Language, translator
from bot.inbox.failures import explain

Section = Literal["settings", "clock", "database", "rules", "pictures", "vendor", "webhook", "by-hand"]
Level = Literal["fine", "warning", "problem", "unchecked"]

SECTIONS: Final[tuple[Section, ...]] = get_args(Section)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; the code gives the text, why it matters, and what to do."""

    section: Section
    level: Level
    code: str
    args: Mapping[str, object] = field(default_factory=dict)
    """Values in the text: never a secret, never a customer's words."""


@dataclass(frozen=True, slots=True)
class Words:
    """The English texts of a finding, to be translated; *why* and *todo* are empty if all is well."""

    message: str | tuple[str, str]
    """The finding; two texts, singular and plural, if it depends on the finding's `count`."""
    why: str = ""
    """Why it matters."""
    todo: str = ""
    """What to do."""
    lead: str = ""
    """A prefix of `message` that is the same in every language."""

    def filled(self, finding: Finding, lang: Language) -> tuple[str, str, str]:
        """Return the three texts in *lang*, with the values of the finding."""
        translations = translator(lang)
        if isinstance(self.message, tuple):
            message = translations.ngettext(*self.message, cast("int", finding.args["count"]))
        else:
            message = translations.gettext(self.message)
        why, todo, values = translations.gettext(self.why), translations.gettext(self.todo), _values(finding, lang)
        return (self.lead + message).format(**values).rstrip(), why.format(**values), todo.format(**values)


def _values(finding: Finding, lang: Language) -> Mapping[str, object]:
    """Return the values for the texts: the finding's args, and the meaning of the vendor's words among them."""
    trouble = finding.args.get("trouble")
    meaning = {} if trouble is None else {"meaning": explain(str(trouble), lang)}
    return format_sizes(finding.args, lang) | meaning


#: The texts by code.
Texts = Mapping[str, Words]


def count(findings: Iterable[Finding], level: Level) -> int:
    """Return the number of findings of that level."""
    return sum(finding.level == level for finding in findings)
