"""What the doctor finds, by code, once both languages can say it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from bot.cli.doctor import report
from bot.config import Language
from bot.doctor.finding import Finding


def found(findings: Iterable[Finding]) -> dict[str, str]:
    """Return the level of each finding by its code, once it is sure that both languages can say it."""
    every = list(findings)
    for lang in get_args(Language):
        assert "{" not in "".join(report(every, lang)).replace("({}", "")
    return {finding.code: finding.level for finding in every}
