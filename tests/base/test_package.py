"""The installed package: no file is missing."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_data_file_is_packaged() -> None:
    """Templates, styles, texts, migrations: each has a pattern in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["bot"]
    shipped = {path for pattern in patterns for path in (ROOT / "bot").glob(pattern)}
    files = {path for path in (ROOT / "bot").rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    assert files - shipped == set()
    assert ROOT / "bot/locale/vi/LC_MESSAGES/bot.po" in files
