"""A finding of `bot doctor`: what was checked, its status, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, cast, get_args

from bot.config import Language
from bot.i18n import translator
from bot.inbox.failures import explain

Section = Literal["settings", "clock", "database", "rules", "pictures", "vendor", "webhook", "by-hand"]
Level = Literal["fine", "warning", "problem", "unchecked"]

SECTIONS: Final[tuple[Section, ...]] = get_args(Section)


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands; what to say of it, why it matters and what to do is known by its code."""

    section: Section
    level: Level
    code: str
    args: Mapping[str, object] = field(default_factory=dict)
    """What the text names: never a secret, never a customer's words."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a finding, in English, to be translated; the last two are empty where all is well."""

    said: str | tuple[str, str]
    """What is the case; two texts, for one and for several, where it depends on the finding's `count`."""
    why: str = ""
    """Why it matters."""
    todo: str = ""
    """What to do."""
    lead: str = ""
    """What stands before `said` in every language."""

    def filled(self, finding: Finding, lang: Language) -> tuple[str, str, str]:
        """Return the three texts in a language, with what the finding names."""
        translations = translator(lang)
        if isinstance(self.said, tuple):
            said = translations.ngettext(*self.said, cast("int", finding.args["count"]))
        else:
            said = translations.gettext(self.said)
        why, todo, values = translations.gettext(self.why), translations.gettext(self.todo), _values(finding, lang)
        return (self.lead + said).format(**values).rstrip(), why.format(**values), todo.format(**values)


def _values(finding: Finding, lang: Language) -> Mapping[str, object]:
    """Return what texts may name: the finding's args, and what the vendor's words among them mean."""
    trouble = finding.args.get("trouble")
    return finding.args if trouble is None else {**finding.args, "meaning": explain(str(trouble), lang)}


#: What is said, by the code of the finding.
Texts = Mapping[str, Words]


def count(findings: Iterable[Finding], level: Level) -> int:
    """Return how many findings are of that level."""
    return sum(finding.level == level for finding in findings)
