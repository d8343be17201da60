"""Made-up messages of the last two weeks for the demo, decided by the rules in force."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Final

from bot.inbox.past_events import PastEvent
from bot.inbox.states import join_keywords
from bot.rules.engine import Incoming, RuleSet, decide
from bot.rules.language.text import fold
from bot.sandbox.zalo_events import EventMaker, SignedEvent
from bot.zalo import decode, parse

_DAYS: Final = 14
_DAY_SECONDS: Final = 86_400.0
_CUSTOMERS: Final = 70
_MESSAGES_PER_DAY: Final = (14, 34)
#: The hours in which customers write, by the shop's clock; busy hours appear several times.
_HOURS: Final = (8, 9, 9, 10, 10, 11, 11, 12, 13, 14, 15, 15, 16, 17, 18, 19, 19, 20, 20, 20, 21, 21, 22)
#: The shares of messages without marks, of questions that no rule answers, and of new followers.
_UNMARKED, _OTHER, _FOLLOWS = 0.4, 0.2, 0.06
_REFUSED: Final = 0.01
_REFUSAL: Final = "HTTP 400: -201: Image size is over the limit"

#: Questions of customers of any shop, in several wordings, which the console groups into topics.
_OTHER_QUESTIONS: Final = (
    "bên mình có xuất hóa đơn đỏ không ạ",
    "cho em xin hóa đơn VAT với",
    "xuat hoa don cong ty dc ko shop",
    "shop có tuyển nhân viên part time không",
    "ben minh co tuyen nguoi ko a",
    "cho mình hỏi chỗ gửi xe hơi",
    "có chỗ đậu ô tô không shop",
    "tiệm có nhận thẻ visa không",
    "quẹt thẻ được không ạ",
    "hàng này hạn dùng bao lâu vậy",
    "để được mấy ngày vậy shop",
    "mình muốn hợp tác làm đại lý",
    "cho gặp chủ shop được không",
    "đơn của mình tới đâu rồi ạ",
    "don hang cua e sao chua toi",
    "ok shop",
    "cảm ơn shop nhiều nha",
    "dạ vâng ạ",
    "alo",
    "hihi",
)


def past_events(rules: RuleSet, maker: EventMaker, *, now: float, seed: int = 7) -> list[PastEvent]:
    """Return a few hundred messages of the days before *now*, in seconds since 1970; the same for the same *seed*."""
    return list(_History(rules, maker, random.Random(seed)).events(now))  # noqa: S311  no secret


class _History:
    def __init__(self, rules: RuleSet, maker: EventMaker, chance: random.Random) -> None:
        self._rules = rules
        self._maker = maker
        self._chance = chance
        self._examples = [text for rule in rules.file.rules if rule.enabled for text in rule.examples]
        self._customers = [str(chance.randrange(10**17, 10**18)) for _ in range(_CUSTOMERS)]
        self._last_replies: dict[tuple[str, str], float] = {}

    def events(self, now: float) -> Iterator[PastEvent]:
        """Yield the events, the oldest first."""
        for day in range(_DAYS, 0, -1):
            times = sorted(
                self._time(now - day * _DAY_SECONDS) for _ in range(self._chance.randint(*_MESSAGES_PER_DAY))
            )
            for at in times:
                if at < now - 60:
                    yield self._event(at)

    def _time(self, day: float) -> float:
        """Return a time on the day after *day*, by the shop's clock."""
        morrow = datetime.fromtimestamp(day, self._rules.zone).date() + timedelta(days=1)
        hour = datetime.combine(morrow, time(self._chance.choice(_HOURS)), self._rules.zone)
        return hour.timestamp() + self._chance.uniform(0, 3600)

    def _event(self, at: float) -> PastEvent:
        user = self._customers[min(int(self._chance.expovariate(0.06)), _CUSTOMERS - 1)]
        msg_id = f"{self._chance.getrandbits(80):020x}"
        if self._chance.random() < _FOLLOWS:
            return self._decided(self._maker.follow(user, at=at), at)
        return self._decided(self._maker.text(user, self._text(), at=at, msg_id=msg_id), at)

    def _text(self) -> str:
        is_other = not self._examples or self._chance.random() < _OTHER
        text = self._chance.choice(_OTHER_QUESTIONS if is_other else self._examples)
        return fold(text) if self._chance.random() < _UNMARKED else text

    def _decided(self, signed: SignedEvent, at: float) -> PastEvent:
        event = parse(decode(signed.body), signed.body)
        incoming = Incoming(event.on or "", event.text, event.oa_id, event.key)
        decision = decide(
            self._rules, incoming, now=at, last_reply=lambda rule: self._last_replies.get((event.user_id, rule))
        )
        if decision.images and decision.rule_id:
            self._last_replies[event.user_id, decision.rule_id] = at
        is_refused = bool(decision.images) and self._chance.random() < _REFUSED
        return PastEvent(
            event,
            signed.body,
            received_at=at,
            settled_at=at + self._chance.lognormvariate(-1.0, 0.5),
            status="dead" if is_refused else "sent" if decision.images else "ignored",
            reason="refused" if is_refused else decision.reason,
            rule_id=decision.rule_id,
            images=decision.images,
            keyword=join_keywords(decision.keywords),
            runner_up=decision.runner_up,
            error=_REFUSAL if is_refused else None,
        )
