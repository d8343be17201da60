"""A sandbox vendor and a bot for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bot.sandbox.contract import Account
from bot.sandbox.vendor import SandboxVendor
from tests.e2e.running import API_KEY, PATIENCE, TOKEN, Bot

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture
def vendor() -> Iterator[SandboxVendor]:
    """A vendor that takes every right request."""
    with SandboxVendor(Account(API_KEY, TOKEN)) as sandbox:
        yield sandbox


@pytest.fixture
def bot(tmp_path: Path, vendor: SandboxVendor, database_url: str) -> Iterator[Bot]:
    """A bot on a fresh database of each kind."""
    with Bot(tmp_path, vendor.url, DATABASE_URL=database_url) as running:
        yield running
