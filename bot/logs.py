"""Log lines: text for people, JSON for machines; never a secret, never a customer's words."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Literal

# What every record has anyway; the rest was given with `extra=` and is shown.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        when = datetime.fromtimestamp(record.created).astimezone().isoformat(" ", "milliseconds")
        return f"{when} {record.levelname:<7} {record.getMessage()}{fields}{trace}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}


def configure(form: Literal["text", "json"], level: str) -> None:
    """Send the log to standard error in *form*, from *level* up."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if form == "json" else _Text())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # What they say at each call or start drowns our lines.
    for name in ("urllib3", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
