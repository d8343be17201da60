"""What the commands about past events print, in Vietnamese and in English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bot.config import Language

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "no-database": (
        "chưa có cơ sở dữ liệu {path}; hãy chạy lệnh này trong thư mục của bot, hoặc đặt DATABASE_URL",
        "there is no database {path}; run this in the bot's directory, or set DATABASE_URL",
    ),
    "database-fails": (
        "không đọc được cơ sở dữ liệu ({kind}); bot đã chạy lần nào với DATABASE_URL này chưa?",
        "the database cannot be used ({kind}); has the bot run with this DATABASE_URL?",
    ),
    # bot inbox
    "no-events": ("Không có sự kiện nào.", "There are no events."),
    "no-event": ("không có sự kiện số {id}", "there is no event {id}"),
    "waiting": (
        "Đang chờ gửi (open): {open} · gửi hỏng (dead): {dead} · chưa rõ đã gửi chưa (parked): {parked}",
        "waiting to be sent (open): {open} · dead letters (dead): {dead} · outcome unknown (parked): {parked}",
    ),
    "id": ("số", "id"),
    "when": ("lúc", "when"),
    "oa": ("OA", "OA"),
    "kind": ("loại", "kind"),
    "status": ("trạng thái", "status"),
    "reason": ("lý do", "reason"),
    "rule": ("luật", "rule"),
    "attempts": ("lần thử", "attempts"),
    "error": ("nhà cung cấp báo", "vendor said"),
    "log-name": ("tên trong nhật ký", "name in the log"),
    "user": ("mã khách", "user id"),
    "message": ("mã tin", "message id"),
    "sent-at": ("khách nhắn lúc", "happened"),
    "received-at": ("bot nhận lúc", "received"),
    "due-at": ("thử lại lúc", "due"),
    "attempted-at": ("gọi lần cuối lúc", "call without answer"),
    "replied-at": ("ảnh đầu gửi lúc", "first picture sent"),
    "settled-at": ("xong lúc", "settled"),
    "rules-hash": ("bản luật", "rules version"),
    "picture": ("ảnh {number}", "picture {number}"),
    "picture-sent": ("đã gửi", "sent"),
    "picture-doubtful": ("chưa rõ đã gửi chưa", "outcome unknown"),
    "picture-unsent": ("chưa gửi", "not sent"),
    "vendor-ids": ("mã của nhà cung cấp", "vendor's ids"),
    # bot replay
    "nothing-dead": ("Không có sự kiện nào gửi hỏng.", "There are no dead letters."),
    # bot unmatched
    "unmatched": (
        "Khách hỏi mà chưa có luật nào trả lời, {days} ngày qua:",
        "What no rule answered in the last {days} days:",
    ),
    "all-matched": (
        "Trong {days} ngày qua, không còn câu hỏi nào mà các luật hiện nay chưa trả lời.",
        "The last {days} days hold no question that the present rules do not answer.",
    ),
    "people": ("{count} khách", "{count} people"),
    "person": ("{count} khách", "{count} person"),
    "near": ("luật {rule}: {why}", "{rule}: {why}"),
    "how-to-yaml": (
        "Thêm --yaml để có sẵn đoạn dán vào rules.yaml.",
        "With --yaml: what to paste into rules.yaml.",
    ),
    "only-newest": (
        "Chỉ xem {count} tin mới nhất trong số đó.",
        "Only the {count} newest messages were looked at.",
    ),
    "no-rules": (
        "{path} chưa dùng được nên không tìm luật gần nhất; xem: bot check",
        "{path} cannot be used, so no near rules are named; see: bot check",
    ),
    # bot backtest
    "not-tried": (
        "{path} có lỗi, chưa thử được với tin nhắn nào.",
        "{path} has errors; it was tried on no message.",
    ),
    "no-messages": ("Chưa có tin nhắn nào để thử.", "There are no messages to try it on."),
    "tried": (
        "Đã thử {path} với {messages} tin nhắn thật ({oldest} đến {newest}): {same} tin không đổi.",
        "{path}, tried on {messages} real messages ({oldest} to {newest}): {same} answered as before.",
    ),
    "gained": ("Nay có luật trả lời: {count} tin", "Now answered by a rule: {count}"),
    "changed": ("Trả lời khác trước: {count} tin", "Answered differently: {count}"),
    "lost": ("Không còn luật trả lời: {count} tin", "No longer answered by a rule: {count}"),
    "silence": ("(không trả lời)", "(no answer)"),
}


def say(key: str, lang: Language, /, **args: object) -> str:
    """Return the text *key* in *lang*, filled with *args*."""
    vi, en = _TEXTS[key]
    return (vi if lang == "vi" else en).format(**args)


def moment(seconds: float) -> str:
    """Return a time as this machine's clock shows it."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows under their heads, in columns."""
    lines = [head, *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
