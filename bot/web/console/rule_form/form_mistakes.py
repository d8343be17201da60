"""Validate the fields of the rule form, with messages in the form's own terms, before the check of rules.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.rules.publishing.yaml_text import Value
from bot.web.console.formatting import gettext as _
from bot.web.console.rule_form import form_fields as forms

_PRIORITIES: Final = range(-1000, 1001)
_WEIGHTS: Final = range(1, 1001)


def mistakes(fields: forms.Fields) -> list[str]:
    """Return a sentence for each invalid value."""
    return [*_in_schedule(fields.get("active")), *_in_numbers(fields), *_in_images(fields)]


def _in_schedule(active: Value | None) -> Iterator[str]:
    if not isinstance(active, dict):
        return
    first, last = (str(active.get(key, "")) for key in ("from", "until"))
    yield from _in_days(first, last)
    if forms.is_day(first) and forms.is_day(last) and first > last:
        yield _("The last day is before the first.")
    start, _dash, end = str(active.get("hours", "")).partition("-")
    if bool(start) != bool(end):
        yield _("Fill in both hours: from when, and until when.")
    elif start and start == end:
        yield _("The two hours are the same: leave both empty for the whole day.")


def _in_days(*days: str) -> Iterator[str]:
    for day in days:
        if day and not forms.is_day(day):
            yield _("“{day}” is not a day of the calendar. Write day/month/year, such as 20/01/2027.").format(day=day)


def _in_numbers(fields: forms.Fields) -> Iterator[str]:
    amount, _unit = forms.amount_and_unit(str(fields.get("cooldown", "")))
    if amount and not _is_number(amount):
        text = _("Wait before the same customer gets it again: write a whole number, not “{value}”.")
        yield text.format(value=amount)
    priority = str(fields.get("priority", "0"))
    if not _is_number(priority.removeprefix("-")) or int(priority) not in _PRIORITIES:
        text = _("Priority: write a whole number from {least} to {most}, not “{value}”.")
        yield text.format(least=_PRIORITIES[0], most=_PRIORITIES[-1], value=priority)


def _in_images(fields: forms.Fields) -> Iterator[str]:
    for image in forms.image_rows(fields.get("reply", [])):
        yield from _in_days(forms.iso_day(image["uploaded"]))
        weight = image["weight"] or "1"
        if not _is_number(weight) or int(weight) not in _WEIGHTS:
            text = _("Share of a picture: write a whole number from {least} to {most}, not “{value}”.")
            yield text.format(least=_WEIGHTS[0], most=_WEIGHTS[-1], value=weight)


def _is_number(text: str) -> bool:
    """Return whether a text consists of a few ASCII digits."""
    return text.isascii() and text.isdecimal() and len(text) < len("1000000")
