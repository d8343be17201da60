"""Notices on every page: problems that keep images from customers, what they mean, and who must act."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from flask import url_for

from bot.image_health.report import ImageReports
from bot.inbox.failures import explain
from bot.inbox.queries import EventQueries
from bot.inbox.statistics.hour_counts import HOUR_SECONDS
from bot.inbox.statistics.quotas import quotas_left
from bot.inbox.statistics.rollup import DAY_SECONDS, Statistics
from bot.metrics.counts import QuotaLeft
from bot.rules.replication.state import ReplicaState
from bot.runtime import Runtime
from bot.web.console import formatting
from bot.web.console.formatting import format_number, gettext, language, ngettext

# A quota is short if this part of it is left; if its size is unknown, this number.
_SHORT_SHARE: Final = 0.1
_SHORT_COUNT: Final = 50
# Silence is reported if at least this many messages usually come in that time, and only after an hour.
_MISSED_MESSAGES: Final = 20.0
_USUAL_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Notice:
    """One problem."""

    kind: Literal["bad", "warn"]
    what: str
    """The problem in one sentence."""
    meaning: str
    """The effect on customers, and who must do what."""
    link: tuple[str, str] | None = None
    """The URL and label of a link."""
    original: str = ""
    """The original text of the vendor or the system."""


def current(runtime: Runtime) -> list[Notice]:
    """Return the present notices; those that stop everything come first."""
    return [
        *_paused(runtime),
        *_rules(runtime),
        *_replica(runtime),
        *_images(runtime),
        *_quota(runtime),
        *_silence(runtime),
    ]


def is_short(quota: QuotaLeft) -> bool:
    """Return whether the quota is nearly used up."""
    return quota.left <= (_SHORT_COUNT if quota.size is None else quota.size * _SHORT_SHARE)


def _paused(runtime: Runtime) -> Iterator[Notice]:
    """Yield a notice for each paused OA: the vendor refuses the account, or is unreachable."""
    kept = gettext("Messages wait and are not lost; the bot tries again by itself and sends them then.")
    for oa_id, error in sorted(EventQueries(runtime.database).pause_reasons().items()):
        cause = explain(error, language())
        if cause.subject == "account":
            what = gettext("The vendor refuses the account of OA {oa}: no image goes out.")
        else:
            what = gettext("The vendor is away: no image of OA {oa} goes out at present.")
        link = (url_for("console.events", status="open"), gettext("See what waits"))
        yield Notice("bad", what.format(oa=oa_id), f"{cause}. {kept}", link, error)


def _rules(runtime: Runtime) -> Iterator[Notice]:
    reloader = runtime.rules_reloader
    if not reloader.error:
        return
    what = gettext("The rules file {file} cannot be used.").format(file=runtime.settings.rules_file.name)
    meaning = gettext("Customers are answered by the last good rules. Whoever changed the file must mend it.")
    problem = reloader.last_validation.first_error if reloader.last_validation else None
    if problem is None:
        yield Notice("bad", what, meaning, (url_for("console.check"), gettext("Show the error")), reloader.error)
        return
    place = gettext("Line {n}: {problem}.").format(n=problem.line, problem=problem.message(language()))
    link = (url_for("console.check", take="file", line=problem.line), gettext("Go to line {n}").format(n=problem.line))
    yield Notice("bad", what, f"{place} {meaning}", link)


def _replica(runtime: Runtime) -> Iterator[Notice]:
    """Yield a notice if this machine's rules differ from those published for all machines."""
    state = runtime.replica.state if runtime.replica else ReplicaState()
    sentences = {
        "by-hand": (
            gettext("The rules file of machine {machine} was changed by hand; it is not what was published at {time}."),
            gettext("This machine answers by its own file. Publish it for all machines, or take the published one."),
        ),
        "refused": (
            gettext("Machine {machine} cannot use the rules that were published at {time}."),
            gettext("It answers by its former ones. Whoever runs the bot must install the same version everywhere."),
        ),
        "unwritable": (
            gettext("Machine {machine} cannot write the rules that were published at {time}."),
            gettext("It answers by its former ones. Whoever runs the bot must let it write beside the rules file."),
        ),
        "off": (
            gettext("Machine {machine} does not take the rules that were published at {time}."),
            gettext("It answers by its own file. Whoever runs the bot must set CONSOLE_PUBLISH=true there too."),
        ),
    }
    if state.status == "current":
        return
    what, meaning = sentences[state.status]
    time = formatting.format_time(state.published_at, runtime.rules_reloader.rules.zone)
    link = (url_for("console.check", take="published"), gettext("Open the published version"))
    yield Notice("bad", what.format(machine=platform.node(), time=time), meaning, link, state.reason)


def _images(runtime: Runtime) -> Iterator[Notice]:
    count = ImageReports(runtime.database).count_bad(runtime.rules_reloader.rules, now=runtime.database.now())
    if count:
        what = ngettext("{n} image of the rules cannot be sent.", "{n} images of the rules cannot be sent.", count)
        meaning = gettext("Customers get nothing in their place. Whoever writes the rules must replace them.")
        link = (url_for("console.pictures", show="bad"), gettext("Show the images"))
        yield Notice("warn", what.format(n=format_number(count)), meaning, link)


def _quota(runtime: Runtime) -> Iterator[Notice]:
    for quota in quotas_left(runtime.database):
        if is_short(quota):
            what = ngettext(
                "OA {oa} has {n} message left in its quota.", "OA {oa} has {n} messages left in its quota.", quota.left
            )
            meaning = gettext("Once it is used up, no image goes out. The OA's owner must buy more in OA Manager.")
            yield Notice("warn", what.format(oa=quota.oa_id, n=format_number(quota.left)), meaning)


def _silence(runtime: Runtime) -> Iterator[Notice]:
    """Yield a notice if nothing has come in for longer than usual at this time of day."""
    statistics, now = Statistics(runtime.database), runtime.database.now()
    last = statistics.last_received()
    if last is None or now - last < HOUR_SECONDS:
        return
    usual = _usual_messages(statistics, last, now)
    if usual < _MISSED_MESSAGES:
        return
    since = formatting.format_time(last, runtime.rules_reloader.rules.zone)
    what = gettext("Nothing has come in since {time}.").format(time=since)
    meaning = gettext(
        "Some {n} messages usually come in that time. If customers do write, tell the operator: Zalo may no longer "
        "reach the bot."
    )
    yield Notice("warn", what, meaning.format(n=format_number(round(usual))))


def _usual_messages(statistics: Statistics, since: float, until: float) -> float:
    """Return the mean number of messages at the same hours of the days before."""
    until = min(until, since + DAY_SECONDS)
    hours = statistics.period(since - _USUAL_DAYS * DAY_SECONDS, now=since).by_hour
    by_hour_of_day = [0.0] * 24
    for start, outcomes in hours.items():
        by_hour_of_day[start // HOUR_SECONDS % 24] += outcomes.total() / _USUAL_DAYS
    usual, at = 0.0, since
    while at < until:
        end = min(until, (at // HOUR_SECONDS + 1) * HOUR_SECONDS)
        usual += by_hour_of_day[int(at // HOUR_SECONDS) % 24] * (end - at) / HOUR_SECONDS
        at = end
    return usual
