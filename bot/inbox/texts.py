"""Why an event stands as it does, in Vietnamese and in English: the words behind `reason` in the inbox."""

from __future__ import annotations

from typing import Final

from bot.config import Language

_REASONS: Final[dict[str, tuple[str, str]]] = {
    "rule": ("có luật khớp", "a rule matches"),
    "fallback": ("không có luật nào khớp, nên gửi ảnh fallback", "no rule matches: the fallback answers"),
    "no-match": ("không có luật nào khớp", "no rule matches"),
    "cooldown": ("luật này vừa trả lời khách, còn trong thời gian chờ", "the rule answered this customer a while ago"),
    "fallback-cooldown": ("khách vừa nhận ảnh fallback rồi", "this customer has had the fallback a while ago"),
    "stale": ("tin đã quá lâu, gửi bây giờ sẽ tính phí", "too old: a reply now would be billed"),
    "human": ("nhân viên đang trả lời khách này", "a person is answering this customer"),
    "echo": ("tin do chính OA gửi đi", "sent by the OA itself"),
    "not-answerable": ("loại sự kiện bot không trả lời", "a kind of event that is not answered"),
    "other-oa": ("của OA khác", "of another OA"),
    "unknown": ("chưa rõ ảnh đã tới khách hay chưa", "it is not known whether the picture went out"),
    "attempts": ("gửi nhiều lần không được", "tried too often in vain"),
    "refused": ("nhà cung cấp từ chối hẳn", "refused by the vendor for good"),
    "fault": ("bot gặp lỗi khi chọn câu trả lời; xem nhật ký", "the bot could not decide; see its log"),
}


def reason_text(reason: str, lang: Language) -> str:
    """Return what the reason means; one that is not known means itself."""
    vi, en = _REASONS.get(reason, (reason, reason))
    return vi if lang == "vi" else en
