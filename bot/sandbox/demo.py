"""`bot demo`: sandbox vendor, bot and chat page on one machine, without an account."""

from __future__ import annotations

import errno
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from wsgiref.types import WSGIApplication

import click
import requests
from werkzeug.serving import WSGIRequestHandler, make_server

import bot
from bot.config import Settings
from bot.files import read_plain_file
from bot.i18n import Language
from bot.inbox.database import Database
from bot.inbox.editing.first_steps import FirstSteps
from bot.inbox.past_events import add_past_events
from bot.inbox.queries import EventQueries
from bot.rules.engine import first_examples
from bot.rules.reading import loader
from bot.rules.validate import validate
from bot.sandbox import script
from bot.sandbox.conversation import Conversation, Kind, Outcome
from bot.sandbox.past_messages import past_events
from bot.sandbox.rules_copy import RulesCopy
from bot.sandbox.script import Script
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from bot.sandbox.webhook_client import Echo, Webhook
from bot.sandbox.zalo_events import EventMaker

VendorMode = Literal["fine", "busy", "slow", "cut"]

#: The scripts of the vendor for a customer's next image, by the mode on the page.
_SCRIPTS: dict[VendorMode, Script] = {
    "fine": script.OK,
    "busy": script.answer(503),
    "slow": script.late(3.0),
    "cut": script.cut(),
}

_HOST = "127.0.0.1"
# Below the ports of outgoing connections on Linux, which begin at 32768.
_PORTS = range(10_000, 20_000)
_ACCOUNT = Account("demo-api-key", "demo-access-token", "demo-bearer-token")
_APP_ID, _OA_SECRET, _OA_ID = "360846524940903967", "demo-oa-secret-key", "388613280878808645"
_READY_SECONDS, _READY_POLL = 30.0, 0.1
_STOP_SECONDS = 30.0
# All other settings of the environment or a .env file belong to the real bot.
_KEPT_SETTINGS = {"bot_lang", "log_format", "log_level"}
_PACKAGE = Path(bot.__file__).resolve().parent
_SAMPLE_RULES = _PACKAGE / "rules" / "starters" / "tiem-banh.yaml"
_SAMPLE_SHOP, _SAMPLE_HOST = "Tiệm Nhà Na", b"anh.tiemnhana.example"
_MAX_SAMPLES = 9

_WELCOME = {
    "vi": (
        "\n  {shop} mở cửa rồi. Mời bạn nhắn thử ở đây:\n\n      {url}\n\n"
        "  Trang quản lý: {url}/console\n"
        "  Kịch bản: {rules} (sửa và lưu là có hiệu lực ngay; trang quản lý chỉ sửa {published})\n  Dừng: Ctrl-C\n"
    ),
    "en": (
        "\n  {shop} is open. Write to it here:\n\n      {url}\n\n"
        "  Console: {url}/console\n"
        "  Rules: {rules} (edit and save: it counts at once; the console changes {published})\n  Stop: Ctrl-C\n"
    ),
}
_NOT_READY = {
    "vi": f"Sau {_READY_SECONDS:.0f} giây bot vẫn chưa chạy được.",
    "en": f"The bot was not ready after {_READY_SECONDS:.0f} seconds.",
}
_PUBLISHED = {
    "vi": {False: "một bản sao", True: "chính tệp này"},
    "en": {False: "a copy of it", True: "this very file"},
}
_YOUR_OA = {"vi": "OA của bạn", "en": "Your OA"}


@dataclass(frozen=True, slots=True)
class Demo:
    """The state of the demo that its page uses."""

    conversation: Conversation
    vendor: SandboxVendor
    rules_file: Path
    bot_url: str
    lang: Language
    """The initial language of the page, which has a switch."""
    console_password: str

    @property
    def is_sample(self) -> bool:
        """Whether the rules are the sample shop's, whose images come with the package."""
        return _SAMPLE_HOST in self.rules_file.read_bytes()

    def shop(self, lang: Language) -> str:
        """Return the name of the OA."""
        return _SAMPLE_SHOP if self.is_sample else _YOUR_OA[lang]

    def samples(self) -> list[str]:
        """Return messages to try: the first example of each of the first rules."""
        part = loader.load(self.rules_file.read_bytes()).part
        return first_examples(part, _MAX_SAMPLES) if part else []

    def say(self, user_id: str, kind: Kind, text: str, *, mode: VendorMode) -> None:
        """Send a customer's message or follow; the vendor handles the next image for them according to *mode*."""
        self.vendor.forget(user_id=user_id)
        if mode != "fine":
            self.vendor.next(_SCRIPTS[mode], user_id=user_id)
        self.conversation.say(user_id, kind, text)


def run(port: int, *, settings: Settings, in_place: bool, page: Callable[[Demo], WSGIApplication]) -> bool:
    """
    Run the demo until a signal ends it; return whether one did: False if the demo could not run.

    With *in_place* the console publishes to the rules file itself, else to a copy that follows it. *page* creates the
    application of the chat page, served on *port* or on a free port if that is taken. Only the language of *settings*
    is used; the page is English only if it is set explicitly, because its sample shop is Vietnamese.
    """
    lang = settings.bot_lang
    page_lang: Language = lang if "bot_lang" in settings.model_fields_set else "vi"
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    rules_file = _rules_file()
    maker = EventMaker(_APP_ID, _OA_SECRET, _OA_ID)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bot-demo-")))
        vendor = stack.enter_context(SandboxVendor(_ACCOUNT))
        try:
            used_file = rules_file if in_place else _copied(rules_file, folder / "shop", stopping)
        except OSError as error:
            click.echo(f"{_short(rules_file)}: {error.strerror}", err=True)
            return False
        bot_url, database_url = f"http://{_HOST}:{_free_port()}", f"sqlite:///{folder / 'demo.db'}"
        password = secrets.token_urlsafe()
        environment = _environment(vendor.url, bot_url, database_url, used_file, password)
        _remember_past(database_url, used_file, maker)
        child = stack.enter_context(_running_bot(environment, folder, stopping))
        if not _wait_until_ready(bot_url, stopping):
            if not stopping.is_set():
                click.echo(_NOT_READY[lang], err=True)
            return stopping.is_set() and child.poll() is None
        vendor.listen(stack.enter_context(Echo(maker, f"{bot_url}/webhook")))
        conversation = stack.enter_context(_conversation(maker, bot_url, database_url))
        vendor.listen(conversation.on_vendor_call)
        demo = Demo(conversation, vendor, rules_file, bot_url, page_lang, password)
        url = stack.enter_context(_serving(page(demo), port))
        _begin_first_steps(database_url, f"{url}/demo")
        click.echo(
            _WELCOME[lang].format(
                shop=demo.shop(lang), url=f"{url}/demo", rules=_short(rules_file), published=_PUBLISHED[lang][in_place]
            )
        )
        stopping.wait()
        return child.poll() is None


def _rules_file() -> Path:
    """Return the rules file of the shop if it exists, else that of the sample shop."""
    mine = Path("rules.yaml").resolve()
    return mine if mine.is_file() else _SAMPLE_RULES


def _copied(source: Path, folder: Path, stopping: threading.Event) -> Path:
    copy = RulesCopy(source, folder)
    threading.Thread(target=copy.follow, args=[stopping], name="rules-copy", daemon=True).start()
    return copy.path


def _remember_past(database_url: str, rules_file: Path, maker: EventMaker) -> None:
    """Store messages of the last days, as these rules answer them, so that the console's pages are not empty."""
    database = Database(database_url)
    try:
        database.migrate()
        now = database.now()
        today = datetime.fromtimestamp(now, UTC).date()
        rules = validate(read_plain_file(rules_file), today=today, folder=rules_file.parent).rules
        if rules is not None:
            add_past_events(database, past_events(rules, maker, now=now), rules_hash=rules.digest)
    finally:
        database.dispose()


def _begin_first_steps(database_url: str, chat_link: str) -> None:
    """Begin the console's checklist of first steps; the past messages do not count for it."""
    database = Database(database_url)
    try:
        FirstSteps(database).begin(chat_link=chat_link)
    finally:
        database.dispose()


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _free_port() -> int:
    """Return a free port that the system gives to no outgoing connection, which might take it before the bot does."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with suppress(OSError), socket.create_server((_HOST, port)):
            return port
    raise OSError(errno.EADDRINUSE, f"no port from {_PORTS[0]} to {_PORTS[-1]} is free")


def _environment(vendor_url: str, bot_url: str, database_url: str, rules_file: Path, password: str) -> dict[str, str]:
    """Return the bot's environment: none of the real bot's settings, so that no real account is touched."""
    ours = {name.upper() for name in Settings.model_fields if name not in _KEPT_SETTINGS} | {"GUNICORN_CMD_ARGS"}
    inherited = {name: value for name, value in os.environ.items() if name.upper() not in ours}
    path = os.pathsep.join(filter(None, (str(_PACKAGE.parent), os.environ.get("PYTHONPATH"))))
    return {
        "LOG_LEVEL": "WARNING",
        **inherited,
        "PYTHONPATH": path,
        "NO_PROXY": _HOST,
        "CPAAS_BASE_URL": vendor_url,
        "CPAAS_API_KEY": _ACCOUNT.api_key,
        "CPAAS_ACCESS_TOKEN": _ACCOUNT.access_token,
        "CPAAS_BEARER_TOKEN": _ACCOUNT.bearer_token,
        "ZALO_APP_ID": _APP_ID,
        "ZALO_OA_SECRET_KEY": _OA_SECRET,
        "RULES_FILE": str(rules_file),
        "DATABASE_URL": database_url,
        "CONSOLE_PASSWORD": password,
        "CONSOLE_PUBLISH": "true",
        "HOST": _HOST,
        "PORT": bot_url.rpartition(":")[2],
    }


@contextmanager
def _running_bot(
    environment: dict[str, str], folder: Path, stopping: threading.Event
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the bot as in production; *stopping* is set if it ends by itself."""
    command = [sys.executable, "-m", "bot", "serve"]
    # In its own session: Ctrl-C reaches only the demo, which then stops the bot.
    child = subprocess.Popen(command, env=environment, cwd=folder, start_new_session=True)  # noqa: S603

    def watch() -> None:
        child.wait()
        stopping.set()

    watcher = threading.Thread(target=watch, name="bot-watcher", daemon=True)
    watcher.start()
    try:
        yield child
    finally:
        child.terminate()
        watcher.join(_STOP_SECONDS)
        if watcher.is_alive():
            os.killpg(child.pid, signal.SIGKILL)
            watcher.join()


def _wait_until_ready(bot_url: str, stopping: threading.Event) -> bool:
    with requests.Session() as session:
        session.trust_env = False  # no proxy for this machine
        for _ in range(round(_READY_SECONDS / _READY_POLL)):
            if stopping.wait(_READY_POLL):
                return False
            try:
                if session.get(f"{bot_url}/readyz", timeout=2.0).ok:
                    return True
            except requests.RequestException:
                continue
    return False


@contextmanager
def _conversation(maker: EventMaker, bot_url: str, database_url: str) -> Iterator[Conversation]:
    database, webhook = Database(database_url), Webhook(f"{bot_url}/webhook")
    conversation = Conversation(maker, webhook, lambda key: _outcome(database, key))
    try:
        yield conversation
    finally:
        conversation.stop()
        webhook.close()
        database.dispose()


def _outcome(database: Database, key: str) -> Outcome | None:
    event = EventQueries(database).find(key)
    return Outcome(event.status, event.reason or "", event.rule_id or "", event.settled_at) if event else None


class _Quiet(WSGIRequestHandler):
    """Logs no requests: the terminal is for the welcome and for errors."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


@contextmanager
def _serving(application: WSGIApplication, port: int) -> Iterator[str]:
    """Serve *application* on *port*, or on a free one if that is taken; yield its base URL."""
    try:
        listener = socket.create_server((_HOST, port))
    except OSError:
        listener = socket.create_server((_HOST, 0))
    with listener:
        taken = listener.getsockname()[1]
        server = make_server(_HOST, taken, application, threaded=True, request_handler=_Quiet, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, name="demo-page", daemon=True)
    thread.start()
    try:
        yield f"http://{_HOST}:{taken}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
