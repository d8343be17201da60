"""Findings of the doctor by code, checked to have texts in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from bot.cli.doctor import report
from bot.doctor.finding import Finding
from bot.i18n import Language


def found(findings: Iterable[Finding]) -> dict[str, str]:
    """Return the level of each finding by code; fail if a text is missing in a language."""
    every = list(findings)
    for lang in get_args(Language):
        assert "{" not in "".join(report(every, lang)).replace("({}", "")
    return {finding.code: finding.level for finding in every}
