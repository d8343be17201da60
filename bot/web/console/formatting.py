"""Texts, times, numbers and names of events in the language of the reader of the console."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, get_args
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from flask import g, request, session, url_for

from bot.i18n import N_, Language, translator
from bot.rules.engine import FALLBACK
from bot.zalo import EVENT_KINDS

_STATIC = Path(__file__).parents[1] / "static"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Query parameters that do not apply to a whole list.
_OF_ONE_PAGE: Final = frozenset({"page", "before", "published"})
_WEEKDAYS: Final = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip
_DELAY_UNITS: Final = ((N_("{n} h"), 7200, 3600), (N_("{n} min"), 120, 60), (N_("{n} s"), 0, 1))
_EVENT_NAMES: Final[dict[str, str]] = {
    "text": N_("Writes a text"),
    "follow": N_("Follows the OA"),
    "image": N_("Sends a picture"),
    "sticker": N_("Sends a sticker"),
    "gif": N_("Sends a GIF"),
    "audio": N_("Sends a voice message"),
    "video": N_("Sends a video"),
    "file": N_("Sends a file"),
    "location": N_("Sends a location"),
    "link": N_("Sends a link"),
    "business_card": N_("Sends a business card"),
    "chat_now": N_("Taps “chat now”"),
}


def choose_language(default: Language) -> None:
    """Choose the language of this response: that of ``?lang=``, else the session's, else *default*."""
    g.lang = _known(request.args.get("lang")) or _known(session.get("lang")) or default


def remember_language() -> None:
    """Store the language of ``?lang=`` in the session."""
    chosen = _known(request.args.get("lang"))
    if chosen and session.get("lang") != chosen:
        session["lang"] = chosen


def language() -> Language:
    """Return the language of this response."""
    lang: Language = g.lang
    return lang


def gettext(message: str) -> str:
    """Return a text in the reader's language."""
    return translator(language()).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the text for *count* things in the reader's language."""
    return translator(language()).ngettext(singular, plural, count)


def pgettext(context: str, message: str) -> str:
    """Return a text in the reader's language; *context* tells it from equal texts with other translations."""
    return translator(language()).pgettext(context, message)


def other_language() -> Language:
    """Return the language that the reader can switch to."""
    return "en" if language() == "vi" else "vi"


def address_in(lang: Language) -> str:
    """Return the address of this page in a language."""
    # Not by url_for, which would interpret query parameters such as "_scheme".
    args = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return f"{quote(request.path)}?{urlencode([*args, ('lang', lang)])}"


def csv_address(**more: str) -> str:
    """Return the URL of this list as CSV, with its filters and order."""
    args = {name: value for name, value in request.args.items() if name not in _OF_ONE_PAGE}
    return f"{quote(request.path)}.csv?{urlencode(args | more)}"


def format_time(seconds: float, zone: ZoneInfo, *, year: bool = False) -> str:
    """Return a time (seconds since 1970) as clocks in *zone* show it."""
    at = datetime.fromtimestamp(seconds, zone)
    if language() == "vi":
        return f"{at:%H:%M}, {at:%d/%m/%Y}" if year else f"{at:%H:%M}, {at:%d/%m}"
    return f"{at.day} {_MONTHS[at.month - 1]}{f' {at.year}' if year else ''}, {at:%H:%M}"


def format_ago(seconds: float, zone: ZoneInfo, *, now: float) -> str:
    """Return how long ago a time (seconds since 1970) was; after a day, the time itself."""
    passed = now - seconds
    if passed >= 86_400 or passed < -60:
        return format_time(seconds, zone)
    if passed < 60:
        return gettext("just now")
    if passed < 3600:
        return ngettext("{n} minute ago", "{n} minutes ago", int(passed // 60)).format(n=int(passed // 60))
    return ngettext("{n} hour ago", "{n} hours ago", int(passed // 3600)).format(n=int(passed // 3600))


def format_date(which: date) -> str:
    """Return a day with its year."""
    return f"{which:%d/%m/%Y}" if language() == "vi" else f"{which.day} {_MONTHS[which.month - 1]} {which.year}"


def format_day(which: date) -> str:
    """Return a day without its year, such as 29/11 or 29 Nov."""
    return f"{which:%d/%m}" if language() == "vi" else f"{which.day} {_MONTHS[which.month - 1]}"


def format_weekday(which: date) -> str:
    """Return a day with its weekday and year."""
    return f"{gettext(_WEEKDAYS[which.weekday()])} {format_date(which)}"


def format_delay(seconds: float) -> str:
    """Return a duration: 0.4 s, 25 s, 3 min, 2 h."""
    if seconds < 10:
        return gettext("{n} s").format(n=format_tenths(seconds))
    unit, size = next((unit, size) for unit, least, size in _DELAY_UNITS if seconds >= least)
    return gettext(unit).format(n=format_number(round(seconds / size)))


def format_zone(name: str) -> str:
    """Return the name of a time zone for readers; *name* is its IANA name, such as Asia/Ho_Chi_Minh."""
    return gettext("Vietnam time") if name == "Asia/Ho_Chi_Minh" else gettext("Clocks of {zone}").format(zone=name)


def format_number(count: int) -> str:
    """
    Return a whole number with thousands separators.

    In Vietnamese 12.345, in English 12,345.
    """
    return f"{count:,}".replace(",", "." if language() == "vi" else ",")


def format_tenths(value: float) -> str:
    """Return a number with one decimal: 2,5 in Vietnamese, 2.5 in English."""
    return f"{value:.1f}".replace(".", "," if language() == "vi" else ".")


@lru_cache(maxsize=64)
def _version(filename: str) -> str:
    return hashlib.sha256((_STATIC / filename).read_bytes()).hexdigest()[:12]


def asset(filename: str) -> str:
    """Return the URL of a file of bot/web/static; it changes with the content, so that browsers may cache it."""
    return url_for("console.static", filename=filename, v=_version(filename))


def rule_name(rule_id: str) -> str:
    """Return the name of a rule on pages: its id, or a text for the fallback."""
    return gettext("The fallback") if rule_id == FALLBACK else rule_id


def event_name(kind: str, lang: Language) -> str:
    """Return what the customer does in an event of that kind, one of bot.zalo.EVENT_KINDS."""
    return translator(lang).gettext(_EVENT_NAMES[kind]) if kind in _EVENT_NAMES else kind


def event_names(lang: Language) -> dict[str, str]:
    """Return the kinds of event that rules can answer, each with what the customer does."""
    return {kind: event_name(kind, lang) for kind in EVENT_KINDS}


def _known(lang: object) -> Language | None:
    return next((known for known in get_args(Language) if known == lang), None)
