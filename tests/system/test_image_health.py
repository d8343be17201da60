"""A running bot checks the images of its rules, and connects to public addresses only."""

from __future__ import annotations

from pathlib import Path

from bot.sandbox.vendor import SandboxVendor
from tests.support.commands import doctor
from tests.support.image_server import JPEG, ImageServer, ok
from tests.support.metrics import scrape, scraped
from tests.support.running import MAKER, Bot, wait_until

RULES = """\
version: 1
rules:
  - id: noi-bo
    keywords: [bảng giá]
    reply: {{image_url: "{private}"}}
  - id: mau
    keywords: [địa chỉ]
    reply: {{image_url: "https://shop.example/a.jpg"}}
  - id: ma-cu
    keywords: [khuyến mãi]
    reply: {{attachment_id: aBc, uploaded: 2020-01-01}}
"""


def test_an_image_in_a_private_network_is_reported_and_not_fetched(tmp_path: Path, vendor: SandboxVendor) -> None:
    """By `/metrics`, by the log and by the doctor; answers go out all the same, and no connection is made."""
    with ImageServer("127.0.0.1") as server:
        private = server.url("/a.jpg?key=hush", ok(JPEG), host="127.0.0.1")
        with Bot(tmp_path, vendor.url, rules=RULES.format(private=private), WEB_CONCURRENCY="2") as bot:
            unseen = scrape(bot)
            assert unseen["pictures{verdict=bad}"] == 1  # the attachment's day is known without a look
            seen = {
                "pictures{verdict=bad}": 2.0,
                "pictures{verdict=ok}": 0.0,
                "pictures{verdict=unknown}": 1.0,
                "picture_problems{problem=private-address}": 1.0,
                "picture_problems{problem=expired}": 1.0,
            }
            wait_until(scraped(bot, **seen), "the look")
            bot.deliver(MAKER.text("101", "shop ơi bang gia"))
            vendor.wait_for_taken(1)
            wait_until(lambda: bot.log_text().count("customers may not get a picture") == 2, "both lines of the log")
            assert "picture=https://127.0.0.1:" in bot.log_text()
            assert "hush" not in bot.log_text()
            status, said = doctor(tmp_path, bot.environment)
            assert bot.terminate() == 0
        assert server.connections == 0
    assert status == 1
    assert "/a.jpg (noi-bo): this address lies in a private network." in said
    assert "aBc (ma-cu): the id has expired, seven days after the upload." in said
    assert "https://shop.example/a.jpg: this address is only an example" in said


def test_a_process_that_does_not_deliver_reports_without_checking(tmp_path: Path, vendor: SandboxVendor) -> None:
    """The web side alone: what the others found is in the database."""
    rules = RULES.format(private="https://127.0.0.1/a.jpg")
    with Bot(tmp_path, vendor.url, rules=rules, command=("-m", "bot", "serve", "--web-only")) as web:
        assert scrape(web)["pictures{verdict=unknown}"] == 2
        with Bot(tmp_path, vendor.url, command=("-m", "bot", "serve", "--delivery-only")):
            wait_until(scraped(web, **{"pictures{verdict=bad}": 2.0}), "the look of the other")
