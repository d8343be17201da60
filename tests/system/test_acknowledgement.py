"""Acknowledgements over real connections, while commits take their time."""

from __future__ import annotations

import fcntl
import http.client
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.support.running import API_KEY, MAKER, PATIENCE, TOKEN, Bot, wait_until
from tests.support.wire import answers, written

pytestmark = pytest.mark.xdist_group("acknowledgement")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """One bot for what leaves nothing behind."""
    with (
        SandboxVendor(Account(API_KEY, TOKEN)) as vendor,
        Bot(tmp_path_factory.mktemp("bot"), vendor.url) as bot,
    ):
        yield bot


@pytest.fixture
def bot(tmp_path: Path, vendor: SandboxVendor) -> Iterator[Bot]:
    """On SQLite, whose commits a test can hold up."""
    with Bot(tmp_path, vendor.url) as bot:
        yield bot


@contextmanager
def nobody_may_write(directory: Path) -> Iterator[None]:
    """Hold the lock that the bot's processes take for each commit."""
    with (directory / "bot.db-lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)


def test_one_connection_carries_many_deliveries(shared: Bot) -> None:
    """Each answer is whole and says that the connection stays."""
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=PATIENCE)
    for number in range(50):
        event = MAKER.text(str(1000 + number), "xin chào")
        connection.request("POST", "/webhook", body=event.body, headers=dict(event.headers))
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"ok\n")
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.headers["Connection"] == "keep-alive"
        assert response.headers["Date"]
    connection.close()


def test_requests_sent_together_are_answered_in_their_order(shared: Bot) -> None:
    """A client may send the next request before it has its answer (RFC 9112, section 9.3.2)."""
    event = MAKER.text("101", "bảng giá")
    forged = replace(MAKER.text("102", "bảng giá"), headers={})
    look = b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\n"
    sent = written(event) + written(forged) + look + written(event) + b"GET /nowhere HTTP/1.1\r\nHost: bot\r\n\r\n"
    assert answers(shared.port, sent, 5)[0] == [200, 401, 200, 200, 404]


def test_hundreds_of_refusals_sent_together_are_answered_one_after_the_other(shared: Bot) -> None:
    """The event loop answers them itself; it must not answer each inside the one before."""
    assert shared.post(MAKER.text("104", "x")).status_code == 200  # from here on the loop does
    forged = b"POST /webhook HTTP/1.1\r\nHost: bot\r\nContent-Length: 2\r\n\r\n[]"
    assert answers(shared.port, forged * 700, 700)[0] == [400] * 700


@pytest.mark.parametrize(("version", "connection"), [("1.0", ""), ("1.1", "close")])
def test_a_connection_that_ends_with_its_answer(shared: Bot, version: str, connection: str) -> None:
    """Reverse proxies speak so unless they are told otherwise."""
    statuses, read = answers(shared.port, written(MAKER.text("103", "x"), version=version, connection=connection), 1)
    assert statuses == [200]
    assert b"connection: close" in read.lower()


def test_a_commit_that_takes_too_long_is_a_503_for_each_that_waits(bot: Bot, vendor: SandboxVendor) -> None:
    """Zalo delivers again; the event is there already then, and is answered once."""
    first, second = MAKER.text("105", "bảng giá"), MAKER.text("106", "bảng giá")
    with nobody_may_write(bot.directory):
        for event in (first, second):
            statuses, read = answers(bot.port, written(event), 1)
            assert statuses == [503]
            assert b"deliver it again" in read
    assert [bot.post(event).status_code for event in (first, second)] == [200, 200]
    vendor.wait_for_taken(2)
    assert bot.terminate() == 0
    assert sorted(taken.message.user_id for taken in vendor.taken) == ["105", "106"]


def test_a_client_that_leaves_before_its_answer_harms_nobody(bot: Bot, vendor: SandboxVendor) -> None:
    """Its event is stored all the same; those that wait with it are answered."""
    with nobody_may_write(bot.directory):
        for user in ("107", "108"):
            with socket.create_connection(("127.0.0.1", bot.port), timeout=PATIENCE) as client:
                client.sendall(written(MAKER.text(user, "bảng giá")))
                # Closed with a reset: what is written to it fails.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                wait_until(lambda: _is_read(client), "the delivery to be read")
    assert bot.post(MAKER.text("109", "bảng giá")).status_code == 200
    vendor.wait_for_taken(3)
    assert "Traceback" not in bot.log_text()


def test_an_access_log_tells_what_was_answered(tmp_path: Path, vendor: SandboxVendor) -> None:
    """It is written when gunicorn gives an answer, which therefore must not come later."""
    with Bot(tmp_path, vendor.url, GUNICORN_CMD_ARGS="--access-logfile=-") as bot:
        with nobody_may_write(tmp_path):
            assert bot.post(MAKER.text("110", "x")).status_code == 503
        assert bot.post(MAKER.text("111", "x")).status_code == 200
        wait_until(lambda: re.findall(r'"POST /webhook HTTP/1.1" (\d+)', bot.log_text()) == ["503", "200"], "two lines")


def test_the_end_of_the_server_waits_for_the_answers(tmp_path: Path, vendor: SandboxVendor) -> None:
    """What was stored at the last moment is acknowledged as well."""
    with Bot(tmp_path, vendor.url) as bot:
        assert bot.get("/healthz").status_code == 200
        with socket.create_connection(("127.0.0.1", bot.port), timeout=PATIENCE) as client:
            with nobody_may_write(tmp_path):
                client.sendall(written(MAKER.text("112", "bảng giá")))
                wait_until(lambda: _is_read(client), "the delivery to be read")
                bot.process.terminate()
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert bot.process.wait(PATIENCE) == 0


def _is_read(client: socket.socket) -> bool:
    """Return whether all that was sent has left the kernel's buffers on both sides: the server has read it."""
    us, server = (f"0100007F:{address[1]:04X}" for address in (client.getsockname(), client.getpeername()))
    queues = {tuple(words[1:3]): words[4] for words in map(str.split, Path("/proc/net/tcp").read_text().splitlines())}
    return queues[us, server].startswith("00000000:") and queues[server, us].endswith(":00000000")
