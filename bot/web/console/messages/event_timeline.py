"""The timeline of an event: received, decided, each image sent, settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from bot.i18n import N_
from bot.inbox.queries import EventDetail, EventListItem, EventRow, ImageStatus
from bot.inbox.states import Status
from bot.inbox.texts import reason_text
from bot.logs import redact, single_line
from bot.rules.engine import FALLBACK
from bot.web.console import formatting
from bot.web.console.formatting import gettext as _

Tone = Literal["good", "bad", "warn", "blue", ""]
TimelineStage = Literal["came", "kept", "decided", "picture", "complaint", "end"]

_STATUSES: Final[dict[Status, tuple[str, Tone]]] = {
    "open": (N_("waiting"), "blue"),
    "sent": (N_("sent"), "good"),
    "ignored": (N_("not answered"), ""),
    "dead": (N_("dead letter"), "bad"),
    "parked": (N_("parked: outcome unknown"), "warn"),
}
_IMAGE_STATUSES: Final[dict[ImageStatus, tuple[str, Tone]]] = {
    "sent": (N_("sent"), "good"),
    "doubtful": (N_("outcome unknown"), "warn"),
    "unsent": (N_("not sent"), ""),
}
# Delays up to this many seconds are shown with tenths.
_TENTHS_BELOW_SECONDS = 10.0
_UNITS = ((86_400, N_("{count} d")), (3_600, N_("{count} h")), (60, N_("{count} min")), (1, N_("{count} s")))


@dataclass(frozen=True, slots=True)
class EventTableRow:
    """A row of the list of events."""

    event: EventListItem
    what: str
    """What the customer did."""
    excerpt: str
    """The beginning of the customer's text; redacted."""
    why: str
    """The reason for the event's status."""
    vendor: str
    """The vendor's words."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step of an event."""

    stage: TimelineStage
    what: str
    at: float | None = None
    """In seconds since 1970; None if it is not known."""
    after: str = ""
    """The time that it took: for the delivery since Zalo's timestamp, for an image since the event came in."""
    why: str = ""
    tone: Tone = ""
    picture: int = 0
    """The number of the image, from 1; 0 if the step is not about an image."""
    vendor: str = ""
    """The vendor's words."""


def status_badge(status: Status) -> tuple[str, Tone]:
    """Return the label and the colour of a status."""
    text, tone = _STATUSES[status]
    return _(text), tone


def row(event: EventListItem) -> EventTableRow:
    """Return the event's row in the list."""
    return EventTableRow(
        event, what_happened(event), redact(event.beginning or ""), why(event), single_line(event.error or "")
    )


def what_happened(event: EventRow) -> str:
    """Return who did what; for an event that cannot be answered, at least who."""
    if event.kind is None:
        is_ours = event.reason in {"echo", "human"}
        return _("The OA wrote") if is_ours else _("Zalo reported")
    name = formatting.event_name(event.kind, formatting.language())
    return _("The customer {does}").format(does=name[:1].lower() + name[1:])


def why(event: EventRow) -> str:
    """Return the reason for the event's status."""
    if event.reason is None:
        return _("its turn has not come yet")
    return reason_text(event.reason, formatting.language())


def timeline(event: EventDetail, *, now: float) -> list[TimelineEntry]:
    """Return the known steps of the event, the oldest first."""
    return [*_arrival(event), *_images(event), _outcome(event, now)]


def _arrival(event: EventDetail) -> Iterator[TimelineEntry]:
    yield TimelineEntry("came", what_happened(event), event.sent_at)
    late = _elapsed(event.received_at - event.sent_at) if event.sent_at is not None else ""
    yield TimelineEntry("kept", _("The bot received and stored it"), event.received_at, late)
    if event.rules_hash is not None:
        yield TimelineEntry("decided", _("The bot decided"), why=_decision(event))


def _decision(event: EventDetail) -> str:
    """Return the reason of the decision; `reason` may have changed since then."""
    if event.rule_id == FALLBACK and event.images:
        return reason_text("fallback", formatting.language())
    return reason_text("no-match" if event.rule_id in {None, FALLBACK} else "rule", formatting.language())


def _images(event: EventDetail) -> Iterator[TimelineEntry]:
    """Yield a step for each image, with the vendor's error for one that was not sent."""
    complaint = single_line(event.error or "")
    count = len(event.images or ())
    for number in range(1, count + 1):
        title, tone = _IMAGE_STATUSES[event.image_status(number)]
        label = _("Picture {number} of {count}: {fate}").format(number=number, count=count, fate=_(title))
        at = event.replied_at if number == 1 else _last_at(event) if number == count else None
        blamed = number == event.progress + 1
        yield TimelineEntry(
            "picture",
            label,
            event.attempted_at if blamed else at,
            _elapsed(at - event.received_at) if at is not None else "",
            tone="bad" if blamed and event.status == "dead" else tone,
            picture=number,
            vendor=complaint if blamed else "",
        )
    if complaint and event.progress >= count:
        yield TimelineEntry("complaint", _("The call before failed"), vendor=complaint)


def _last_at(event: EventDetail) -> float | None:
    """Return when the last image was sent."""
    return event.settled_at if event.status == "sent" and event.progress == len(event.images or ()) else None


def _outcome(event: EventDetail, now: float) -> TimelineEntry:
    detail, at = "; ".join(filter(None, (why(event), _tries(event)))), event.settled_at
    match event.status:
        case "open":
            return _waiting(event, now)
        case "sent" if event.progress < len(event.images or ()):
            return TimelineEntry("end", _("Stopped halfway"), at, why=detail, tone="warn")
        case "sent":
            return TimelineEntry("end", _("Done"), at, tone="good")
        case "ignored":
            return TimelineEntry("end", _("Nothing is sent"), at, why=detail)
        case "dead":
            return TimelineEntry("end", _("Given up"), at, why=detail, tone="bad")
        case "parked":
            return TimelineEntry("end", _("Waits for your decision"), at, why=detail, tone="warn")


def _waiting(event: EventDetail, now: float) -> TimelineEntry:
    if event.reason != "unknown" and event.attempted_at is not None:
        return TimelineEntry("end", _("Being sent"), tone="blue")
    detail = "; ".join(filter(None, (why(event) if event.reason in {None, "unknown"} else "", _tries(event))))
    if event.due_at > now:
        return TimelineEntry("end", _("The bot comes back to it"), event.due_at, why=detail, tone="blue")
    return TimelineEntry("end", _("Its turn comes next"), why=detail, tone="blue")


def _tries(event: EventDetail) -> str:
    count = event.attempts
    if not count:
        return ""
    return formatting.ngettext("tried {count} time", "tried {count} times", count).format(count=count)


def _elapsed(seconds: float) -> str:
    """Return a duration in words, rounded; empty if it is negative because clocks differ."""
    if seconds < 0:
        return ""
    if seconds < _TENTHS_BELOW_SECONDS:
        return _("{count} s").format(count=formatting.format_tenths(seconds))
    size, text = next(unit for unit in _UNITS if seconds >= 2 * unit[0])
    return _(text).format(count=f"{seconds / size:.0f}")
