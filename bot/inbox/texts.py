"""Texts about stored events for terminal and console: the reason of a status, the outcome of a replay."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.i18n import N_, Language, translator
from bot.inbox.replay import ReplayOutcome, ReplayResult
from bot.logs import single_line
from bot.rules.explain_text import duration

_REASONS: Final = {
    "rule": N_("a rule matches"),
    "fallback": N_("no rule matches: the fallback answers"),
    "no-match": N_("no rule matches"),
    "cooldown": N_("the rule answered this customer a while ago"),
    "fallback-cooldown": N_("this customer has had the fallback a while ago"),
    "stale": N_("too old: a reply now would be billed"),
    "human": N_("a person is answering this customer"),
    "echo": N_("sent by the OA itself"),
    "not-answerable": N_("a kind of event that is not answered"),
    "other-oa": N_("of another OA"),
    "unknown": N_("it is not known whether the picture went out"),
    "attempts": N_("tried too often in vain"),
    "refused": N_("refused by the vendor for good"),
    "fault": N_("the bot could not decide; see its log"),
}
_REPLAYED: Final[dict[ReplayOutcome, str]] = {
    "reopened": N_("{id}: open again; it was {was}"),
    "settled": N_("{id}: nothing to do, it is {status}"),
    "absent": N_("{id}: there is no such event"),
    "late": N_("{id}: not replayed, it is older than REPLY_WINDOW ({window}); a reply would be billed"),
    "erased": N_("{id}: cannot be replayed, its text has been erased (RETENTION)"),
}


def reason_text(reason: str, lang: Language) -> str:
    """Return the text for an event's `reason`; an unknown reason is returned as it is."""
    text = _REASONS.get(reason)
    return translator(lang).gettext(text) if text else reason


def replay_text(event_id: int, done: ReplayResult, *, window: timedelta, lang: Language) -> str:
    """Return one line about the outcome of a replay; *window* is REPLY_WINDOW."""
    _ = translator(lang).gettext
    error = f", {single_line(done.error)}" if done.error else ""
    was = _("{status}, {reason}, {attempts} attempts{error}").format(
        status=done.status, reason=done.reason, attempts=done.attempts, error=error
    )
    return _(_REPLAYED[done.outcome]).format(id=event_id, was=was, status=done.status, window=duration(window, lang))
