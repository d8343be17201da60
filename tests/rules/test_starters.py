"""The starters: valid rules files without warnings, for different kinds of shops."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.rules import starters
from bot.rules.starters import STARTERS, starter
from bot.rules.validate import validate


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_has_no_problems(name: str) -> None:
    """Its examples reach their rules, and it has a fallback."""
    content = starter(name)
    assert content is not None
    found = validate(content, today=date(2026, 12, 1))
    assert found.problems == ()
    assert found.rules is not None
    assert found.rules.file.fallback is not None


def test_every_file_is_offered() -> None:
    """And no others."""
    files = Path(starters.__file__).with_name("starters").glob("*.yaml")
    assert {file.stem for file in files} == set(STARTERS)
    assert starter("../rules.schema") is None
