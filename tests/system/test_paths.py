"""Request headers that must not change the path, and paths in access logs, with both gunicorn workers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from bot.sandbox.vendor import SandboxVendor
from tests.support.running import MAKER, PATIENCE, Bot, wait_until
from tests.support.wire import answers

ROOT = Path(__file__).parents[2]
GUNICORN = ("-m", "gunicorn", "--chdir", str(ROOT), "app:app", "-b", "127.0.0.1:{port}", "-k")
SERVERS = {
    "bot serve": ("-m", "bot", "serve"),
    "gunicorn": (*GUNICORN, "gthread"),
    "gunicorn with the bot's worker": (*GUNICORN, "bot.web.worker.BufferingWorker"),
}
WEBHOOK_TOKEN = "token-of-this-webhook"
pytestmark = pytest.mark.parametrize("server", SERVERS)


def test_a_header_does_not_rewrite_the_path(tmp_path: Path, vendor: SandboxVendor, server: str) -> None:
    """The web server in front lets /webhook/… through, and nothing else of the bot."""
    with Bot(tmp_path, vendor.url, command=SERVERS[server]) as bot:
        for header in ({"SCRIPT_NAME": "/webhook"}, {"PATH_INFO": "/metrics"}):
            for page in ("metrics", "readyz", "healthz"):
                response = requests.get(f"{bot.url}/webhook/{page}", headers=header, timeout=PATIENCE)
                assert response.status_code in {400, 404}
        assert bot.get("/metrics").status_code == 200


def test_headers_that_agree_on_the_scheme_are_no_contradiction(
    tmp_path: Path, vendor: SandboxVendor, server: str
) -> None:
    """Some web servers in front send two; only two that differ are refused."""
    with Bot(tmp_path, vendor.url, command=SERVERS[server]) as bot:
        for second, status in (
            (b"X-Forwarded-Ssl: on", 200),
            (b"X-Forwarded-Proto: https", 200),
            (b"X-Forwarded-Ssl: off", 400),
            (
                b"X-Forwarded-Protocol: https",
                200 if server == "bot serve" else 400,
            ),  # gunicorn's own default wants "ssl"
        ):
            sent = b"GET /healthz HTTP/1.1\r\nHost: bot\r\nX-Forwarded-Proto: https\r\n" + second + b"\r\n\r\n"
            assert answers(bot.port, sent, 1)[0] == [status]


def test_the_access_log_does_not_show_the_token(tmp_path: Path, vendor: SandboxVendor, server: str) -> None:
    """Neither the right one nor a mistyped one, whatever became of the request and whatever is logged of it."""
    options = """--access-logfile=- --access-logformat='%(s)s %(r)s %(U)s %({raw_uri}e)s %({path_info}e)s'"""
    settings = {"WEBHOOK_AUTH": "token", "WEBHOOK_TOKEN": WEBHOOK_TOKEN, "GUNICORN_CMD_ARGS": options}
    with Bot(tmp_path, vendor.url, command=SERVERS[server], **settings) as bot:
        event = MAKER.text("101", "x")
        right, wrong = f"{bot.url}/webhook/{WEBHOOK_TOKEN}", f"{bot.url}/webhook/{WEBHOOK_TOKEN[:-1]}"
        for url in (right, wrong, f"{right}?a=1", f"{right}/more", f"{bot.url}/%77ebhook/{WEBHOOK_TOKEN}"):
            requests.post(url, data=event.body, timeout=PATIENCE)
            requests.get(url, timeout=PATIENCE)
        wait_until(lambda: bot.log_text().count("[token]") >= 30, "ten lines")
        assert WEBHOOK_TOKEN[:-1] not in bot.log_text()
        assert re.search(r"^200 POST /webhook/\[token\] HTTP/1.1 ", bot.log_text(), re.MULTILINE)


def test_refused_deliveries_are_logged_once_a_second(tmp_path: Path, vendor: SandboxVendor, server: str) -> None:
    """Whoever wants to fill the disk cannot, and the operator sees all the same that something is wrong."""
    with Bot(tmp_path, vendor.url, command=SERVERS[server]) as bot:
        event = MAKER.text("101", "x")
        statuses = {
            requests.post(f"{bot.url}/webhook", data=event.body, timeout=PATIENCE).status_code for _ in range(100)
        }
        assert statuses == {401}
        wait_until(lambda: bot.log_text().count("a delivery was refused") >= 1, "a line")
        assert bot.log_text().count("a delivery was refused") < 50
        assert "Traceback" not in bot.log_text()
