"""Gunicorn settings, hooks and start of `bot serve`; the application for other servers."""

from __future__ import annotations

import gc
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from wsgiref.types import WSGIApplication

from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from pydantic import SecretStr

from bot import logs
from bot.config import Settings
from bot.errors import COULD_NOT_RUN, BotError, ConfigError, StorageError
from bot.metrics import sharing
from bot.rules.problem import RulesError
from bot.runtime import Runtime
from bot.web.app import create_app
from bot.web.backlog import stop_new_connections

log = logging.getLogger(__name__)

_THREADS = 32
_MAX_CONNECTIONS = 1000
_MAX_WORKERS = 4
_WORKER_PAUSE = 1.0
# A fifth of Python's default: a response may wait this long for a computing thread, several times.
_SWITCH_SECONDS = 0.001


def graceful_seconds(send_timeout: float) -> int:
    """Return how many seconds a worker may take to stop: its longest call of the vendor and the commits after it."""
    return int(send_timeout) + 20


def application(env_file: Path = Path(".env")) -> WSGIApplication:
    """Return the started application, or exit with one message about what is missing."""
    try:
        settings = _settings(env_file)
        if "gunicorn" in os.environ.get("SERVER_SOFTWARE", "") and not sharing.is_shared():
            sharing.share_with_siblings()
        return create_app(_started(settings))
    except BotError as error:
        sys.stderr.write(f"{error}\n")
    raise SystemExit(COULD_NOT_RUN)


def serve(env_file: Path = Path(".env"), *, web: bool = True, delivers: bool = True) -> int:
    """
    Run the web side under gunicorn, delivery, or both, until a signal.

    Return the exit status: 0, or 3 after one message about unusable settings, rules or database.
    """
    try:
        settings = _settings(env_file)
        _preflight(settings, delivers=delivers)
    except BotError as error:
        sys.stderr.write(f"{error}\n")
        return COULD_NOT_RUN
    if web:
        _Gunicorn(settings, delivers=delivers).run()
    else:
        _deliver_only(settings)
    return 0


def _settings(env_file: Path) -> Settings:
    settings = Settings.load(env_file)
    logs.configure(settings.log_format, settings.log_level, secrets=list(_secrets(settings)))
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise ConfigError("no temporary folder can be written; make room in /tmp, or set TMPDIR to another") from None
    return settings


def _secrets(settings: Settings) -> Iterator[str]:
    for name, value in settings:
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            if name == "database_url":  # only the password in it is secret
                password = urlsplit(secret).password or ""
                yield from (password, unquote(password))
            else:
                yield secret


def _started(settings: Settings, *, delivers: bool = True) -> Runtime:
    sharing.begin()
    runtime = Runtime(settings, delivers=delivers)
    with _explained(settings):
        runtime.start()
    _put_answers_first()
    return runtime


def _put_answers_first() -> None:
    """Reduce how long computing threads delay responses, above all while new rules are read."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Present objects, above all the rules, live long: searching them for garbage would stop every thread.
    gc.freeze()


def _preflight(settings: Settings, *, delivers: bool) -> None:
    """Migrate the database and validate the rules before workers are forked, so that an error is reported once."""
    gc.disable()  # the modules that this loads stay: searching them for garbage takes a tenth of the time
    try:
        with _explained(settings):
            Runtime(settings, delivers=delivers).preflight()
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _explained(settings: Settings) -> Iterator[None]:
    """Convert errors of a start to one message for the operator."""
    try:
        yield
    except RulesError as error:
        raise ConfigError(error.render(settings.bot_lang)) from None
    except StorageError as error:
        raise ConfigError(f"DATABASE_URL: the database cannot be opened ({error})") from None


def _deliver_only(settings: Settings) -> None:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    runtime = _started(settings)
    ended.wait()
    runtime.stop()


def _max_connections() -> int:
    """Return the most connections per process: half of its file descriptors are left for everything else."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_CONNECTIONS if files == resource.RLIM_INFINITY else min(_MAX_CONNECTIONS, files // 2)


class _Logger(glogging.Logger):
    """Writes gunicorn's log lines in the format of ours."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class _Arbiter(Arbiter):
    """Gunicorn's master; when it stops, its workers still answer the connections in the backlog."""

    def stop(self, graceful: bool = True) -> None:
        """Stop new connections, unless another master shares the sockets; then stop the workers."""
        if self.reexec_pid == self.master_pid == 0 and not self.systemd:
            for listener in self.LISTENERS:
                stop_new_connections(listener.sock)
        super().stop(graceful)


class _Gunicorn(BaseApplication):
    """Gunicorn with our settings; GUNICORN_CMD_ARGS and WEB_CONCURRENCY override them, as usual."""

    def __init__(self, settings: Settings, *, delivers: bool) -> None:
        self._settings = settings
        self._delivers = delivers
        super().__init__()
        # Not earlier: a master that replaces this one (USR2) inherits the environment from before this line.
        self._counts = None if sharing.is_shared() else Path(tempfile.mkdtemp(prefix="zalo-bot-metrics-"))
        if self._counts is not None:
            sharing.share(self._counts)

    def load_config(self) -> None:
        host = self._settings.host
        is_sqlite = self._settings.database_url.get_secret_value().startswith("sqlite")
        options: dict[str, Any] = {
            "bind": f"[{host}]:{self._settings.port}" if ":" in host else f"{host}:{self._settings.port}",
            "worker_class": "bot.web.worker.BufferingWorker",
            "threads": _THREADS,
            "worker_connections": _max_connections(),
            "keepalive": 30,
            # Gunicorn's third default, X-Forwarded-Protocol, must be "ssl": proxies that send "https" would get a 400.
            "secure_scheme_headers": {"X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on"},
            "forwarder_headers": "",  # SCRIPT_NAME from a client would rewrite the path
            "graceful_timeout": graceful_seconds(self._settings.send_timeout),
            "logger_class": _Logger,
            "loglevel": self._settings.log_level.lower(),
            "proc_name": "zalo-picture-bot",
            "on_exit": self._forget_counts,
            "control_socket_disable": True,  # it would be in the home directory, shared by all bots of a user
        }
        if "WEB_CONCURRENCY" not in os.environ:
            # One process commits for all its threads; a second one would only wait for SQLite's single writer.
            options["workers"] = 1 if is_sqlite else min(_MAX_WORKERS, os.cpu_count() or 1)
        arguments = self.cfg.get_cmd_args_from_env()
        given = vars(self.cfg.parser().parse_args(arguments)) if arguments else {}
        given = {name: value for name, value in given.items() if name in self.cfg.settings and value is not None}
        for name, value in (options | given).items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Serve until a signal."""
        try:
            _Arbiter(self).run()
        except RuntimeError as error:  # gunicorn's message about its settings
            sys.stderr.write(f"{error}\n")
            raise SystemExit(COULD_NOT_RUN) from None

    def _forget_counts(self, _master: object) -> None:
        if self._counts is not None:
            shutil.rmtree(self._counts, ignore_errors=True)

    def load(self) -> Any:
        try:
            return create_app(_started(self._settings, delivers=self._delivers))
        except ConfigError as error:
            # The master has checked all of it, so the error is temporary; the next worker tries again.
            log.error("a worker cannot start yet", extra={"trouble": str(error)})  # noqa: TRY400
            time.sleep(_WORKER_PAUSE)
        raise SystemExit(1)
