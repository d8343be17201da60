"""Lengths of time as people write them in settings and rules: ``30s``, ``10m``, ``48h``, ``30d``."""

from __future__ import annotations

import re
from datetime import timedelta

_FORM = re.compile(r"\s*(\d{1,6})\s*([smhd])\s*", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse(text: str) -> timedelta:
    """
    Return the length of time that *text* names.

    >>> parse("48h")
    datetime.timedelta(days=2)

    Raises:
        ValueError: The text is not a whole number and one of s, m, h, d.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError("expected a number and a unit, as in 30s, 10m, 48h or 30d")
    return timedelta(**{_UNITS[form[2]]: int(form[1])})
