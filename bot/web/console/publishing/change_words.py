"""Describe the changes of a version of the rules file in one sentence: for a draft's summary and for the history."""

from __future__ import annotations

from typing import Final

from bot.analysis.preview import Preview
from bot.i18n import N_, NN_
from bot.rules.publishing.rule_changes import ChangeCounts
from bot.web.console.formatting import format_number, gettext, ngettext

# For each count: its text as the first part of the sentence, and after another part.
_KINDS: Final = (
    ("added", NN_("adds {n} rule", "adds {n} rules"), N_("adds {n}")),
    ("changed", NN_("changes {n} rule", "changes {n} rules"), N_("changes {n}")),
    ("removed", NN_("removes {n} rule", "removes {n} rules"), N_("removes {n}")),
    ("switched_on", NN_("switches on {n} rule", "switches on {n} rules"), N_("switches on {n}")),
    ("switched_off", NN_("switches off {n} rule", "switches off {n} rules"), N_("switches off {n}")),
)


def changes_text(counts: ChangeCounts) -> str:
    """Return the changes in words, such as: adds 2 rules, changes 1, removes 18."""
    parts: list[str] = []
    for kind, first, later in _KINDS:
        if count := getattr(counts, kind):
            text = gettext(later) if parts else ngettext(*first, count)
            parts.append(text.format(n=format_number(count)))
    if counts.settings:
        text = ngettext("changes {n} setting of the file", "changes {n} settings of the file", counts.settings)
        parts.append(text.format(n=counts.settings))
    if counts.is_reordered:
        parts.append(gettext("puts rules in another order"))
    return _capitalised(", ".join(parts) or gettext("changes no rule"))


def lines_text(new: int, gone: int) -> str:
    """Return the changes in words, counted in lines."""
    if not new and not gone:
        return gettext("lines moved")
    return gettext("+{new} −{gone} lines").format(new=format_number(new), gone=format_number(gone))


def summary_of(preview: Preview) -> str:
    """Return the changes of a draft without errors, and their effect on recent messages."""
    if preview.rule_changes is not None:
        changes = changes_text(preview.rule_changes.counts)
    elif preview.changes is not None:
        changes = lines_text(preview.changes.new, preview.changes.gone)
    else:
        changes = gettext("A new rules file")
    return f"{changes}; {_effect(preview)}."


def _effect(preview: Preview) -> str:
    comparison = preview.comparison
    if comparison is None or not comparison.messages:
        return gettext("there are no messages yet to try it on")
    lost, gained = comparison.count("lost"), comparison.count("gained")
    parts = []
    if lost:
        text = ngettext("{n} message will lose its answer", "{n} messages will lose their answer", lost)
        parts.append(text.format(n=format_number(lost)))
    if gained:
        text = ngettext("{n} more message is answered", "{n} more messages are answered", gained)
        parts.append(text.format(n=format_number(gained)))
    return ", ".join(parts) if lost else ", ".join([*parts, gettext("no message loses its answer")])


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
