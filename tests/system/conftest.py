"""A sandbox vendor and a bot for each test that asks, and one browser."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.support.browser import running_browser
from tests.support.running import API_KEY, TOKEN, Bot

_LAST_LETTERS = 6_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show beside a failure what the bots of the test logged."""
    report = yield
    directory: Path | None = getattr(item, "funcargs", {}).get("tmp_path")
    if report.failed and directory is not None:
        for log in sorted(directory.rglob("bot-*.log")):
            said = log.read_text(encoding="utf-8", errors="replace")
            report.sections.append((f"{log.name} of the bot", said[-_LAST_LETTERS:]))
    return report


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for each test worker: to start one takes as long as several tests."""
    with running_browser() as started:
        yield started
