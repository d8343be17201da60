"""The console's page Pictures in a real browser, with a bot that checks images."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, StorageState, expect

from bot.inbox.database import Database
from bot.inbox.tables import picture_checks
from tests.support.browser import fits, needs_browser, new_session, texts_too_faint, wait_for_images, window
from tests.support.console import PASSWORD
from tests.support.image_server import ImageServer
from tests.support.running import Bot, wait_until

SHOP = Path(__file__).parents[2] / "bot" / "web" / "static" / "shop"
RULES = """\
version: 1
rules:
  - id: menu
    keywords: [thực đơn]
    reply: {{file: "ảnh/thực đơn.jpg"}}
  - id: dia-chi
    keywords: [địa chỉ]
    reply: {{file: "ảnh/dia-chi.jpg", else: {{image_url: "https://anh.tiemnhana.example/dia-chi.jpg"}}}}
  - id: khuyen-mai-mung-nam-moi-cho-khach-hang-than-thiet
    keywords: [khuyến mãi]
    reply: {{attachment_id: "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789aBcDeFgHiJkLmNoPqRsTuVwXyZ", uploaded: {uploaded}}}
  - id: noi-bo
    keywords: [bảng giá]
    reply: {{image_url: "https://127.0.0.1:{port}/mot-thu-muc-dai-that-la-dai/mot-ten-anh-dai-that-la-dai-khong-co-cho-ngat.jpg?khoa=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}
"""

SECTIONS = ["Private network 1", "Expiring soon 1", "Example address 1", "Fine 2"]

pytestmark = [*needs_browser, pytest.mark.xdist_group("console_pictures")]


@pytest.fixture(scope="module")
def server() -> Iterator[ImageServer]:
    """What nobody may ask: it lies in our own network."""
    with ImageServer("127.0.0.1") as running:
        yield running
        assert running.connections == 0


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, server: ImageServer) -> Iterator[Bot]:
    """A bot whose rules name pictures of every kind; no customer asks for one."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "ảnh").mkdir()
    shutil.copy(SHOP / "menu.jpg", folder / "ảnh" / "thực đơn.jpg")
    shutil.copy(SHOP / "dia-chi.jpg", folder / "ảnh" / "dia-chi.jpg")
    rules = RULES.format(port=server.port, uploaded=(datetime.now(UTC) - timedelta(days=5)).date())
    with Bot(folder, "http://127.0.0.1:9", rules=rules, CONSOLE_PASSWORD=PASSWORD) as running:
        yield running


@pytest.fixture(scope="module")
def logged_in(bot: Bot) -> StorageState:
    """The cookie of somebody who is logged in."""
    return new_session(bot)


def test_pictures(browser: Browser, bot: Bot, logged_in: StorageState) -> None:
    """All are looked at before long; what is wrong is said, ours are shown, nothing sticks out, no other is asked."""
    with window(browser, bot, size="phone", state=logged_in) as page:
        wait_until_all_are_looked_at(bot)
        page.goto("pictures?lang=en")
        expect(page.get_by_role("heading", level=2)).to_have_text(SECTIONS)
        expect(page.locator(".tile", has_text="thực đơn.jpg")).to_contain_text("JPEG 1080 × 1350")
        for picture in page.locator(".tile img").all():
            picture.scroll_into_view_if_needed()
        wait_for_images(page, ".tile img", wider_than=500)
        assert page.locator(".tile img").count() == 3
        for lang in ("vi", "en"):
            page.goto(f"pictures?lang={lang}")
            assert fits(page)
            assert texts_too_faint(page) == []
        page.get_by_role("link", name="Bad 1").click()
        expect(page.locator(".tile")).to_have_count(1)
        page.get_by_role("link", name="Fine 2").click()
        page.get_by_role("link", name="menu", exact=True).click()
        expect(page.locator(".rule h2")).to_have_text(["menu"])


def test_another_check_is_requested(browser: Browser, bot: Bot, logged_in: StorageState) -> None:
    """Once somebody asks for it the page follows by itself, and says how it ended."""
    picture = bot.directory / "ảnh" / "dia-chi.jpg"
    with window(browser, bot, state=logged_in) as page:
        put_off(bot)
        page.goto("pictures?lang=en")
        button = page.get_by_role("button", name="Check again: ảnh/dia-chi.jpg")
        expect(button).to_be_visible()
        picture.unlink()
        try:
            button.click()
            told = page.locator(".notice", has_text="Looked at ảnh/dia-chi.jpg again.")
            expect(told).to_contain_text("There is no such file beside the rules")
            expect(page.get_by_role("heading", name="No such file 1")).to_be_visible()
        finally:
            shutil.copy(SHOP / "dia-chi.jpg", picture)
        put_off(bot)  # else it is too soon to check it once more
        button.click()
        expect(page.get_by_role("heading", name="No such file")).to_have_count(0)


def put_off(bot: Bot) -> None:
    """Have all been looked at an hour ago, and none due for another."""
    wait_until_all_are_looked_at(bot)
    database = Database(bot.environment["DATABASE_URL"])
    now = database.now()
    with database.write() as connection:
        connection.execute(sa.update(picture_checks).values(checked_at=now - 3600, due_at=now + 3600))
    database.dispose()


def wait_until_all_are_looked_at(bot: Bot) -> None:
    database = Database(bot.environment["DATABASE_URL"])
    wait_until(lambda: not still_to_be_looked_at(database), "each picture to have been looked at")
    database.dispose()


def still_to_be_looked_at(database: Database) -> bool:
    """Return whether a picture is new, or somebody may be looking at it."""
    soon = database.now() + 120.0
    query = sa.select(picture_checks.c.key).where(
        sa.or_(picture_checks.c.checked_at.is_(None), picture_checks.c.due_at < soon)
    )
    with database.read() as connection:
        found = connection.execute(sa.select(sa.func.count()).select_from(picture_checks)).scalar_one()
        return not found or connection.execute(query).first() is not None
