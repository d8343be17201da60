"""Logging as text or JSON without secrets; redaction of customers' texts."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import traceback
import unicodedata
from abc import abstractmethod
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final, Literal

from bot.errors import BotError

log = logging.getLogger(__name__)

# The standard fields of a record; the others come from `extra=` and are logged.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_ID_LENGTH: Final = 16
_BOUNDED_SECONDS: Final = 1.0
# A shorter secret protects nothing, and masking it would damage many lines.
_SHORTEST_SECRET: Final = 6
# The first line of these packages' errors is about the database or the machine and contains no customer's text.
_SPEAK_OF_THEMSELVES: Final = {"sqlite3", "sqlalchemy", "psycopg"}
#: Replaces a telephone number or an e-mail address.
MASK: Final = "•••"

_MAX_REDACTED = 2_500
# A telephone number has eight digits or more, and people put dots, spaces or keycaps between them.
# Six digits are a price: 150.000.
_NUMBER = re.compile(r"[+(]?\d(?:[\W_]{0,5}\d){6,}")
_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]+ ?@ ?[\w-]+(?:\.[\w-]+)+|(?<!\S)[^\s@]*@\S*")


def about(key: str, event_id: int | None = None) -> dict[str, object]:
    """Return the log fields of an event: `event`, the same in all its lines, and its id in the inbox."""
    return {"event": event_name(key)} | ({} if event_id is None else {"id": event_id})


def event_name(key: str) -> str:
    """Return the name of the event with this key in log lines."""
    return key[:_ID_LENGTH]


class Bounded:
    """A log line that anybody can trigger: written at most once a second; the others are counted."""

    def __init__(self, logger: logging.Logger, level: int, message: str) -> None:
        self._logger = logger
        self._level = level
        self._message = message
        self._lock = threading.Lock()
        self._next_at = 0.0
        self._left_out = 0

    def __call__(self, fields: dict[str, object], *, error: BaseException | None = None) -> None:
        """Log the line with *fields*, and with the traceback of *error*."""
        with self._lock:
            now = time.monotonic()
            if now < self._next_at:
                self._left_out += 1
                return
            self._next_at = now + _BOUNDED_SECONDS
            left_out, self._left_out = self._left_out, 0
        more: dict[str, object] = {"left_out": left_out} if left_out else {}
        self._logger.log(self._level, self._message, exc_info=error, extra=fields | more)


def configure(form: Literal["text", "json"], level: str, *, secrets: Collection[str] = ()) -> None:
    """
    Send the log to standard error in *form*, from *level* up, including the errors that end a thread.

    Each of *secrets* is masked in every line.
    """
    handler = logging.StreamHandler()
    handler.setFormatter((_Json if form == "json" else _Text)(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These loggers write lines at each call or start.
    for name in ("urllib3", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    threading.excepthook = _thread_ended


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    thread = ended.thread.name if ended.thread else ""
    log.critical("a thread ended with an error that nobody caught", exc_info=ended.exc_value, extra={"of": thread})


class _Formatter(logging.Formatter):
    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__()
        plain = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        in_json = {json.dumps(secret)[1:-1] for secret in plain}
        # Longest first: one may be a part of another.
        self._secrets = sorted(plain | in_json, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        line = self.line(record)
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return line

    @abstractmethod
    def line(self, record: logging.LogRecord) -> str:
        """Return the whole line of the record."""


class _Text(_Formatter):
    def line(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={_printable(str(value))}" for name, value in _fields(record).items())
        when = datetime.fromtimestamp(record.created).astimezone().isoformat(" ", "milliseconds")
        trace = _trace(record)
        return f"{when} {record.levelname:<7} {_printable(record.getMessage())}{fields}" + (trace and f"\n{trace}")


class _Json(_Formatter):
    def line(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if trace := _trace(record):
            line["trace"] = trace
        written = json.dumps(line, ensure_ascii=False, default=str)
        # U+2028 ends a line for some readers, control characters steer a terminal, a lone surrogate cannot be encoded.
        return written if written.isprintable() else "".join(map(_escaped, written))


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _printable(text: str) -> str:
    """Return *text* with control characters escaped, so that it cannot forge a log line."""
    return text if text.isprintable() else repr(text)[1:-1]


def _trace(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    return _chain(error) if error is not None else ""


def _chain(error: BaseException) -> str:
    """Return Python's traceback, with only the class of most exceptions: their messages may quote a customer."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{_chain(cause)}\n\nThen:\n\n" if cause is not None else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{before}Traceback (most recent call last):\n{frames}{kind(error)}"


def kind(error: BaseException) -> str:
    """Return the class of *error* and, if its message cannot quote a customer, the message's first line."""
    package, words = type(error).__module__.partition(".")[0], str(error).partition("\n")[0]
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    is_safe = isinstance(error, (BotError, OSError, ImportError)) or package in _SPEAK_OF_THEMSELVES
    return f"{name}: {_printable(words)}" if is_safe and words else name


def single_line(text: str) -> str:
    """
    Return *text* on one line, without control and invisible characters.

    >>> single_line("HTTP 400:\\n\\x1b[31mbad\\u202e")
    'HTTP 400: [31mbad'
    """
    if not text.isprintable():
        text = "".join(" " if character.isspace() else character for character in text if not _steers(character))
    return " ".join(text.split())


def redact(text: str) -> str:
    """
    Return a customer's words on one line, with telephone and other long numbers and e-mail addresses masked.

    >>> redact("ship cho mình, sđt 0912.345.678 hoặc na@shop.example nhé")
    'ship cho mình, sđt ••• hoặc ••• nhé'
    >>> redact("2 ly 150.000đ")
    '2 ly 150.000đ'
    """
    plain = single_line(unicodedata.normalize("NFKC", single_line(text[:_MAX_REDACTED])))
    return single_line(_NUMBER.sub(MASK, _ADDRESS.sub(MASK, plain)))


def _steers(character: str) -> bool:
    """Return whether it is a control or format character (a direction mark, say); white space is not."""
    return unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs"} and not character.isspace()
