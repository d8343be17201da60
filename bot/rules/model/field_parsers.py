"""Parse the text of one field into its value, or raise the error that editors see."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time, timedelta
from functools import cache
from typing import LiteralString
from zoneinfo import available_timezones

from pydantic_core import PydanticCustomError

from bot.config import parse_duration
from bot.rules.language.slug import slug
from bot.rules.model.damaged_text import is_damaged, repaired
from bot.rules.model.synonyms import closest
from bot.rules.problem import Arg
from bot.zalo import EVENT_KINDS

MATCHES = ("phrase", "exact", "prefix", "contains")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

ALTERNATIVES = re.compile(
    r"\s+/\s*|\s*/\s+|(?<=[^\W\d_]{2})/(?=[^\W\d_]{2})|\s+(?:hoặc(?:\s+là)?|hay\s+là|or)\s+|\s+(?:[-–—]|\|\|)\s+",
    re.IGNORECASE,
)
SEPARATORS = re.compile(r"[;|；，、]|,(?!\d)|(?<!\d),")  # 1,5 is a number

_YES = ("true", "yes", "on", "y", "1", "co", "bat", "dung")
_NO = ("false", "no", "off", "n", "0", "khong", "tat", "sai")
_INVISIBLE = re.compile("[\u00ad\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_LONGEST_ID = 64
_DRIVE = re.compile(r"[A-Za-z]:")
_NAME = re.compile(r"(?!\.+$)[^:]*\w[^:]*")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY_FIRST = re.compile(r"\D*(\d{1,2})\D+(\d{1,2})\D+(\d{4}|\d{2})\D*", re.ASCII)
_YEAR_FIRST = re.compile(r"\D*(\d{4})\D+(\d{1,2})\D+(\d{1,2})(\D.*)?", re.ASCII)
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d) ?- ?([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_LOOSE_TIME = r"(\d{1,2})(?:\s*(?:h|g|:|\.|giờ|gio)\s*(\d{2})?)?\s*(am|pm|sa|ch)?"
_LOOSE_HOURS = re.compile(rf"\D*?{_LOOSE_TIME}\s*(?:-|–|—|~|đến|den|tới|to)\s*{_LOOSE_TIME}\s*")
_SPAN = rf"{_LOOSE_TIME}\s*(?:-|–|—|~|đến|den|tới|to)\s*{_LOOSE_TIME}"
_NOON, _MIDNIGHT = 12, 24
_MORNING, _AFTERNOON = frozenset({"am", "sa"}), frozenset({"pm", "ch"})
_LATEST_HOUR = 29  # 25:00 may be 1 a.m.
_AMOUNT = re.compile(r"(\d{1,6})([a-z]+)(\d{0,2})", re.ASCII)
_LONGEST_WAIT = timedelta(days=366)
_UNITS = {
    "s": "s sec secs second seconds giay",
    "m": "m min mins minute minutes phut ph p",
    "h": "h hr hrs hour hours gio tieng g",
    "d": "d day days ngay",
    "w": "w week weeks tuan",
}


def field_error(key: LiteralString, /, **args: Arg) -> PydanticCustomError:
    """Return a pydantic error that the loader turns into the problem *key*."""
    return PydanticCustomError(key, key, dict(args))


def text(value: str) -> str:
    """Return the text as typed; empty and invisible texts are refused."""
    if not _INVISIBLE.sub("", value).strip():
        raise field_error("empty-text")
    if is_damaged(value):
        near = repaired(value)
        raise field_error("damaged-text/near", near=near) if near else field_error("damaged-text")
    return value


def identifier(value: str) -> str:
    """Return the id of a rule: a-z, 0-9 and single hyphens."""
    if not _ID.fullmatch(value):
        near = slug(value)[:_LONGEST_ID].strip("-")
        raise field_error("bad-id/near", word=value, near=near) if near else field_error("bad-id", word=value)
    if len(value) > _LONGEST_ID:
        raise field_error("bad-id/long", limit=_LONGEST_ID, size=len(value))
    return value


def attachment_id(value: str) -> str:
    """Return the id that Zalo gave to an uploaded image: one word of any letters."""
    text(value)
    if "://" in value:
        raise field_error("attachment-is-link")
    if re.search(r"\s", value):
        raise field_error("attachment-space", word=value)
    return value


def image_file_name(value: str) -> str:
    """Return the name of an image file: a path with slashes that goes down from the rules file's folder."""
    text(value)
    if "://" in value:
        raise field_error("file-is-link")
    parts = value.replace("\\", "/").split("/")
    outside = value.startswith(("/", "\\", "~")) or _DRIVE.match(value) or ".." in parts or not parts[-1]
    if outside:
        raise field_error(
            "file-path", near=next((part for part in reversed(parts) if _NAME.fullmatch(part)), "menu.jpg")
        )
    if "\\" in value:
        raise field_error("file-path/backslash", near="/".join(parts))
    return value


def boolean(value: str) -> bool:
    """Return true or false; other spellings of YAML 1.1 (yes, on) are refused."""
    if value.casefold() in {"true", "false"}:
        return value.casefold() == "true"
    bare = slug(value)
    if bare in {*_YES, *_NO}:
        raise field_error("bad-boolean/near", word=value, near="true" if bare in _YES else "false")
    raise field_error("bad-boolean", word=value)


def integer(low: int, high: int) -> Callable[[str], int]:
    """Return the parser of a whole number from *low* to *high*."""

    def read(value: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,9}", value, re.ASCII) or not low <= int(value) <= high:
            raise field_error("bad-number", word=value, low=low, high=high)
        return int(value)

    return read


def version(value: str) -> int:
    """Return the version of the format; there is only one so far."""
    if value != "1":
        raise field_error("bad-version", word=value)
    return 1


def event(value: str) -> str:
    """Return one of EVENT_KINDS."""
    return _one_of(value, EVENT_KINDS, field_error("unknown-event", word=value, known=EVENT_KINDS), "event")


def match(value: str) -> str:
    """Return one of MATCHES."""
    return _one_of(value, MATCHES, field_error("unknown-match", word=value, known=MATCHES), "match")


def _one_of(value: str, known: tuple[str, ...], error: PydanticCustomError, kind: str) -> str:
    if value in known:
        return value
    near = closest(value, known, "event" if kind == "event" else "match")
    if near is None:
        raise error
    key: LiteralString = "unknown-event/near" if kind == "event" else "unknown-match/near"
    raise field_error(key, word=value, near=near)


def weekday(value: str) -> str:
    """Return one of DAYS."""
    if value in DAYS:
        return value
    near = days_meant(value)
    if near:
        raise field_error("unknown-day/near", word=value, near=", ".join(near))
    raise field_error("unknown-day", word=value, known=DAYS)


def days_meant(value: str) -> tuple[str, ...]:
    """
    Return the days that another spelling most likely means.

    >>> days_meant("T2"), days_meant("thứ 6 - chủ nhật")
    (('mon',), ('fri', 'sat', 'sun'))
    """
    first, _, last = re.sub(r"\s*(?:-|–|—|đến|den|to)\s*", "-", value).partition("-")
    start, end = closest(first, DAYS, "day"), closest(last, DAYS, "day") if last else None
    if start and end:
        days = [DAYS[(DAYS.index(start) + step) % 7] for step in range(7)]
        return tuple(days[: days.index(end) + 1])
    near = closest(value, DAYS, "day")
    return (near,) if near else ()


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def timezone(value: str) -> str:
    """Return the name of a time zone in the system's database."""
    if value in _timezones():
        return value
    near = closest(value, sorted(_timezones()), "timezone")
    if near:
        raise field_error("unknown-timezone/near", word=value, near=near)
    raise field_error("unknown-timezone", word=value)


def oa_id(value: str) -> str:
    """Return the id of an Official Account: digits only, kept as text."""
    if re.fullmatch(r"\d{1,20}", value, re.ASCII):
        return value
    if re.fullmatch(r"[\d.,]+[eE]\+?\d+", value, re.ASCII):
        raise field_error("bad-oa/excel", word=value)
    raise field_error("bad-oa", word=value)


def calendar_date(value: str) -> date:
    """Return the day, written year-month-day: ``2027-01-20``."""
    form = _YEAR_FIRST.fullmatch(value)
    if form:
        year, month, day = int(form[1]), int(form[2]), int(form[3])
    elif form := _DAY_FIRST.fullmatch(value):
        year, month, day = int(form[3]) % 2000 + 2000, int(form[2]), int(form[1])
    else:
        raise field_error("bad-date", word=value)
    try:
        found = date(year, month, day)
    except ValueError:
        raise field_error("bad-date/none", word=value) from None
    if not _ISO_DATE.fullmatch(value):
        raise field_error("bad-date/near", word=value, near=found.isoformat())
    return found


def hours(value: str) -> tuple[time, time]:
    """Return the start and end of opening hours; the end may be after midnight."""
    form = _HOURS.fullmatch(value)
    if form is None:
        if len(re.findall(_SPAN, value.casefold())) > 1:
            raise field_error("bad-hours/several")
        raise _unreadable_hours(value)
    start, end = time(int(form[1]), int(form[2])), time(int(form[3]), int(form[4]))
    if start == end:
        raise field_error("bad-hours/none", word=value)
    return start, end


def _unreadable_hours(value: str) -> PydanticCustomError:
    """Return the error for hours that are written otherwise, with what they mean if that is clear."""
    form = _LOOSE_HOURS.fullmatch(value.casefold())
    start, end = (_clock(form[1], form[2], form[3]), _clock(form[4], form[5], form[6])) if form else (None, None)
    if form is None or not start or not end or start == end or _are_ambiguous(form):
        return field_error("bad-hours", word=value)
    near = f"{start}-{end}"
    if max(int(form[1]), int(form[4])) > _MIDNIGHT:
        return field_error("bad-hours/late", word=value, near=near)
    return field_error("bad-hours/near", word=value, near=near)


def _are_ambiguous(form: re.Match[str]) -> bool:
    """Return whether hours may be counted from noon: "8h-5h", "2-5 pm"; "12 am" is noon or midnight."""
    start, end, start_half, end_half = int(form[1]), int(form[4]), form[3], form[6]
    if (start == _NOON and start_half in _MORNING) or (end == _NOON and end_half in _MORNING):
        return True
    if start_half or max(start, end) > _NOON:
        return False
    return end <= start if end_half is None else end_half in _AFTERNOON and start < end


def _clock(hour: str, minute: str | None, half: str | None) -> str | None:
    shift = _NOON if half in _AFTERNOON and int(hour) < _NOON else 0
    found, minutes = (int(hour) + shift) % _MIDNIGHT, int(minute or 0)
    return f"{found:02}:{minutes:02}" if int(hour) <= _LATEST_HOUR and minutes < 60 else None


def duration(value: str) -> timedelta:
    """Return the length of time: a whole number and s, m, h or d."""
    try:
        found = parse_duration(value)
    except ValueError:
        near = _loose_duration(value)
        if near:
            raise field_error("bad-duration/near", word=value, near=near) from None
        raise field_error("bad-duration", word=value) from None
    if not timedelta(0) < found <= _LONGEST_WAIT:
        raise field_error("bad-duration/range", word=value, limit=_LONGEST_WAIT.days)
    return found


def _loose_duration(value: str) -> str | None:
    form = _AMOUNT.fullmatch(slug(value.replace("'", "p")).replace("-", ""))
    if form is None or re.search(r"\d[.,]\d", value):
        return None
    unit = next((unit for unit, names in _UNITS.items() if form[2] in names.split()), None)
    if unit == "h" and form[3]:
        return f"{int(form[1]) * 60 + int(form[3])}m"
    if unit is None or form[3]:
        return None
    return f"{int(form[1]) * 7}d" if unit == "w" else f"{int(form[1])}{unit}"
