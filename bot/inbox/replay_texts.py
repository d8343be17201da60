"""What a replay did, in Vietnamese and in English: the same words in the terminal and in the console."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.config import Language
from bot.inbox.replay import Replay
from bot.redaction import one_line
from bot.rules.explain_text import duration

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "reopened": ("{id}: sẽ gửi lại; trước đó là {was}", "{id}: open again; it was {was}"),
    "settled": (
        "{id}: không cần làm gì, sự kiện đang ở trạng thái {status}",
        "{id}: nothing to do, it is {status}",
    ),
    "absent": ("{id}: không có sự kiện này", "{id}: there is no such event"),
    "late": (
        "{id}: không gửi lại vì đã quá REPLY_WINDOW ({window}); tin gửi ngoài thời gian này bị tính phí",
        "{id}: not replayed, it is older than REPLY_WINDOW ({window}); a reply would be billed",
    ),
    "erased": (
        "{id}: không gửi lại được vì nội dung tin đã bị xóa theo RETENTION",
        "{id}: cannot be replayed, its text has been erased (RETENTION)",
    ),
    "was": ("{status}, {reason}, {attempts} lần thử{error}", "{status}, {reason}, {attempts} attempts{error}"),
}


def replay_text(event_id: int, done: Replay, *, window: timedelta, lang: Language) -> str:
    """Return one line about what became of the wish to replay an event; *window* is REPLY_WINDOW."""
    error = f", {one_line(done.error)}" if done.error else ""
    was = _say("was", lang, status=done.status, reason=done.reason, attempts=done.attempts, error=error)
    return _say(done.outcome, lang, id=event_id, was=was, status=done.status, window=duration(window, lang))


def _say(key: str, lang: Language, /, **args: object) -> str:
    vi, en = _TEXTS[key]
    return (vi if lang == "vi" else en).format(**args)
