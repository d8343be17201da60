"""Notices of the page Check: why something was not done, or that it was."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Literal

from bot.analysis.preview_process import TIMEOUT_SECONDS
from bot.web.console.formatting import t


@dataclass(frozen=True, slots=True)
class Note:
    """A notice, and the status of the answer that it stands in."""

    text: str
    status: int
    kind: Literal["bad", "warn"] = "warn"


def nothing() -> Note:
    """There is nothing to check."""
    return Note(
        t("Bạn dán nội dung vào ô, hoặc chọn một tệp trước đã.", "Paste something or choose a file first."), 400
    )


def busy() -> Note:
    """Another check is going on."""
    return Note(
        t(
            "Bot đang kiểm tra một tệp khác. Bạn chờ vài giây rồi bấm lại nhé; nội dung bạn viết vẫn còn đây.",
            "Another file is being checked. Try again in a few seconds; what you wrote is still here.",
        ),
        503,
    )


def too_long() -> Note:
    """The check was given up."""
    return Note(
        t(
            f"Tệp này nặng quá: sau {TIMEOUT_SECONDS:.0f} giây bot vẫn chưa kiểm tra xong nên đã dừng. "
            "Bạn bớt từ khóa hoặc chia nhỏ luật rồi thử lại nhé.",
            f"This file is too much: the check was given up after {TIMEOUT_SECONDS:.0f} seconds. "
            "Try again with fewer keywords, or when the machine is less busy.",
        ),
        422,
        "bad",
    )


def edited() -> Note:
    """What is to be published is not what was checked."""
    return Note(
        t(
            "Bạn đã sửa thêm sau lần kiểm tra trước, nên bot kiểm tra lại và chưa đổi gì. Xem lại rồi bấm lần nữa nhé.",
            "You changed it after the last check, so it was checked again and nothing was published. "
            "Look at the result, then publish.",
        ),
        409,
    )


def changed() -> Note:
    """Somebody else was quicker."""
    return Note(
        t(
            "Chưa đổi gì: tệp luật vừa có người khác sửa. Bạn xem phần thay đổi bên dưới trước khi bấm lại nhé.",
            "Nothing was published: somebody else has changed the rules file. Look below at what changed, then decide.",
        ),
        409,
        "bad",
    )


def unusable() -> Note:
    """What is to be published has errors."""
    return Note(
        t("Chưa đổi gì: bản này có lỗi.", "Nothing was published: this version has errors."),
        409,
        "bad",
    )


def gone() -> Note:
    """The version is not kept any more."""
    return Note(
        t("Không tìm thấy bản cũ đó; có thể đã bị xóa.", "That version is not there; it may have been removed."), 409
    )


def unwritable(error: OSError) -> Note:
    """Return why the file could not be written."""
    reasons = {
        errno.EROFS: t("thư mục của tệp luật chỉ cho đọc", "its folder is mounted read-only"),
        errno.EACCES: t("bot không có quyền ghi vào thư mục đó", "the bot may not write in its folder"),
        errno.EPERM: t("bot không có quyền ghi vào thư mục đó", "the bot may not write in its folder"),
        errno.EBUSY: t(
            "tệp được gắn (mount) riêng lẻ; hãy gắn cả thư mục",
            "the file is mounted by itself; mount its folder instead",
        ),
        errno.ENOSPC: t("đĩa đã đầy", "the disk is full"),
        errno.EDQUOT: t("đĩa đã đầy", "the disk is full"),
    }
    reason = reasons.get(error.errno or 0, error.strerror or type(error).__name__)
    return Note(
        t(
            f"Chưa đổi gì: không ghi được tệp luật ({reason}). Bạn báo cho người vận hành giúp nhé.",
            f"Nothing was published: the rules file cannot be written ({reason}). Please tell whoever runs the bot.",
        ),
        500,
        "bad",
    )


def published() -> str:
    """Return what is said once something is published."""
    return t("Đã lưu bản mới vào tệp luật.", "Published: the new version is in the rules file.")


def restored() -> str:
    """Return what is said once the former version is published."""
    return t("Đã lấy lại bản trước.", "The version before is in the rules file again.")
