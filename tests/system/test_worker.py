"""The bot's gunicorn worker with slow, idle and faulty clients, and when it stops: real sockets."""

from __future__ import annotations

import itertools
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.support.running import API_KEY, MAKER, PATIENCE, TOKEN, Bot, wait_until
from tests.support.wire import read_answer, written

pytestmark = pytest.mark.xdist_group("worker")

HALF_HEAD = b"POST /webhook HTTP/1.1\r\nHost: bot\r\nContent-"
FIRST_BYTE = b"POST /webhook HTTP/1.1\r\nHost: bot\r\nContent-Length: 400\r\n\r\n{"
CHUNKED = b"POST /webhook HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\n"
SECRET = "token-of-this-webhook"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """One bot for what leaves nothing behind."""
    with (
        SandboxVendor(Account(API_KEY, TOKEN)) as vendor,
        Bot(tmp_path_factory.mktemp("bot"), vendor.url) as bot,
    ):
        yield bot


def connect(port: int, source: str = "127.0.0.1") -> socket.socket:
    """Return a connection from that address of this machine."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=(source, 0))


@contextmanager
def clients(port: int, number: int, sent: bytes, source: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """Hold so many connections, each of which has sent those bytes."""
    with ExitStack() as stack:
        opened = [stack.enter_context(connect(port, source)) for _ in range(number)]
        for client in opened:
            client.sendall(sent)
        yield opened


def is_closed(client: socket.socket) -> bool:
    """Return whether the server has closed an idle connection."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("sent", [HALF_HEAD, FIRST_BYTE, CHUNKED + b"5\r\nab"], ids=["head", "body", "chunk"])
def test_clients_that_send_half_a_request_hold_up_nobody(shared: Bot, sent: bytes) -> None:
    """More of them than there are threads, and each is told that it took too long."""
    with clients(shared.port, 40, sent) as slow:
        assert shared.post(MAKER.text("201", "x")).status_code == 200
        assert read_answer(slow[0])[0] == 408
        assert read_answer(slow[-1])[0] == 408


def test_a_thousand_idle_connections_give_way(shared: Bot) -> None:
    """Whoever comes next is accepted and answered; the oldest idle connection is closed for it."""
    with clients(shared.port, 1000, GET) as idle:
        assert shared.post(MAKER.text("202", "x")).status_code == 200
        wait_until(lambda: is_closed(idle[0]), "the oldest to be closed")
        assert not is_closed(idle[-1])


def test_connections_leave_files_for_the_rest_of_the_bot(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Where a process may open 256 files, clients that hold as many connections do not keep it from calling."""
    limited = ("-c", "import resource as r, runpy; r.setrlimit(r.RLIMIT_NOFILE, (256, 256)); runpy.run_module('bot')")
    with Bot(tmp_path, vendor.url, command=(*limited, "serve")) as bot, clients(bot.port, 300, HALF_HEAD):
        assert bot.post(MAKER.text("210", "bảng giá")).status_code == 200
        vendor.wait_for_taken(1)


def test_one_peer_takes_no_more_than_its_share(tmp_path: Path, vendor: SandboxVendor) -> None:
    """An idle connection of somebody else outlives any number of them."""
    with Bot(tmp_path, vendor.url, GUNICORN_CMD_ARGS="--worker-connections=40") as bot, connect(bot.port) as other:
        other.sendall(GET)
        assert read_answer(other)[0] == 200
        with clients(bot.port, 100, HALF_HEAD, source="127.0.0.2"):
            assert bot.post(MAKER.text("203", "x")).status_code == 200
            other.sendall(GET)
            assert read_answer(other)[0] == 200


def test_a_delivery_in_chunks_and_one_that_asks_first(shared: Bot) -> None:
    """Both are what HTTP allows."""
    event = MAKER.text("204", "x")
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (event.body[:10], event.body[10:]))
    fields = "".join(f"{name}: {value}\r\n" for name, value in event.headers.items()).encode()
    with connect(shared.port) as client:
        client.sendall(CHUNKED[:-2] + fields + b"\r\n" + chunked + b"0\r\n\r\n")
        assert read_answer(client)[0] == 200
        head, _, body = written(event).partition(b"\r\n\r\n")
        client.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert read_answer(client)[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        CHUNKED + b"zz\r\n", CHUNKED + b"2\r\nabcd\r\n", CHUNKED + b"1;a b\r\nx\r\n0\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nbad header\r\n\r\n", b"POST /webhook HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\nHost: bot\n\n", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_http_is_a_400_without_a_traceback(shared: Bot, sent: bytes) -> None:
    """It is the client's fault, not ours."""
    with connect(shared.port) as client:
        client.sendall(sent)
        assert read_answer(client)[0] == 400
        assert client.recv(1) == b""
    assert "Traceback" not in shared.log_text()


def test_a_body_that_no_route_takes_is_refused_before_it_is_sent(shared: Bot) -> None:
    """The answer arrives whole."""
    with connect(shared.port) as client:
        client.sendall(b"POST /webhook HTTP/1.1\r\nHost: bot\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 100_000)
        assert read_answer(client)[0] == 413


def test_connections_in_the_backlog_are_answered_before_the_stop(tmp_path: Path, vendor: SandboxVendor) -> None:
    """A worker that is told to stop accepts them, and closes after the last answer."""
    with Bot(tmp_path, vendor.url) as bot:
        worker = int(Path(f"/proc/{bot.process.pid}/task/{bot.process.pid}/children").read_text().split()[0])
        os.kill(worker, signal.SIGSTOP)
        with clients(bot.port, 16, written(MAKER.text("205", "x"))) as waiting:
            bot.process.terminate()
            wait_until(lambda: "Handling signal: term" in bot.log_text(), "the master to stop the worker")
            os.kill(worker, signal.SIGCONT)
            for client in waiting:
                status, head = read_answer(client)
                assert (status, b"connection: close" in head.lower()) == (200, True)
        assert bot.process.wait(PATIENCE) == 0


def test_accepted_connections_are_not_cut_at_the_stop(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Clients that connect all the time are answered or find nobody, but none is reset."""
    event = written(MAKER.text("208", "x"), connection="close")

    def deliver_until_refused(port: int) -> int:
        for delivered in itertools.count():
            try:
                client = connect(port)
            except ConnectionRefusedError:
                return delivered
            with client:
                client.sendall(event)
                assert read_answer(client)[0] == 200
        raise AssertionError

    with Bot(tmp_path, vendor.url) as bot, ThreadPoolExecutor(16) as pool:
        delivering = [pool.submit(deliver_until_refused, bot.port) for _ in range(16)]
        assert bot.post(MAKER.text("209", "x")).status_code == 200
        assert bot.terminate() == 0
        assert sum(one.result(PATIENCE) for one in delivering) > 0


def test_a_connection_may_be_used_once_more_while_the_worker_stops(tmp_path: Path, vendor: SandboxVendor) -> None:
    """What a client sends at that moment is answered, and the answer says that the connection ends."""
    with Bot(tmp_path, vendor.url) as bot, connect(bot.port) as client:
        client.sendall(GET)
        assert read_answer(client)[0] == 200
        bot.process.terminate()
        client.sendall(written(MAKER.text("206", "x")))
        assert read_answer(client)[0] == 200
        assert bot.process.wait(PATIENCE) == 0


def test_a_worker_is_replaced_after_so_many_requests(tmp_path: Path, vendor: SandboxVendor) -> None:
    """No delivery gets lost at the change."""
    with Bot(tmp_path, vendor.url, GUNICORN_CMD_ARGS="--max-requests=20") as bot:
        for number in range(60):
            assert bot.post(MAKER.text(str(300 + number), "x")).status_code == 200
        wait_until(lambda: bot.log_text().count("Booting worker") >= 3, "the third worker")


def test_what_is_no_request_does_not_show_the_webhook_s_token(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Neither in the access log nor in the lines of the bot."""
    settings = {"WEBHOOK_AUTH": "token", "WEBHOOK_TOKEN": SECRET, "GUNICORN_CMD_ARGS": "--access-logfile=-"}
    with Bot(tmp_path, vendor.url, **settings) as bot:
        head = f"POST /webhook/{SECRET} HTTP/1.1\r\n".encode()
        for wrong in (b"Content-Length: x\r\n\r\n", b"no header\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"):
            with socket.create_connection(("127.0.0.1", bot.port), timeout=PATIENCE) as client:
                client.sendall(head + wrong)
                assert read_answer(client)[0] == 400
        wait_until(lambda: bot.log_text().count('/webhook/[token] HTTP/1.1" 400') == 2, "a line for each with a head")
        assert SECRET not in bot.log_text()
