"""The sentences of an explanation, in Vietnamese and in English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from bot.config import Language
from bot.rules.explain import Excluded, Explanation, Inactive, Incomplete, Match, Near, Outranked
from bot.rules.matching.matcher import Hit
from bot.rules.model.field_parsers import DAYS
from bot.rules.model.schema import Active
from bot.rules.suggest import Suggestion

_MOST_WORDS = 6

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    # the answer
    "by-keyword": ("{rule}, nhờ từ khóa {words}", "{rule}, by the keyword {words}"),
    "by-groups": ("{rule}, nhờ có đủ các nhóm: {words}", "{rule}, by one word of each group: {words}"),
    "by-pattern": ("{rule}, nhờ {words}", "{rule}, by the {words}"),
    "no-rule": ("không có luật nào trả lời", "no rule answers"),
    "no-rule-fallback": ("không có luật nào trả lời, nên dùng fallback", "no rule answers, so the fallback does"),
    "pause": ("mỗi khách chỉ nhận một lần trong {time}", "each customer gets it at most once in {time}"),
    "only-when": ("luật này chỉ chạy {when}", "this rule runs only {when}"),
    "only-oa": ("luật này chỉ dành cho OA {ids}", "this rule is only for the OA {ids}"),
    # how a keyword was found
    "unmarked": ("khách gõ thiếu dấu", "marks left out"),
    "stretched": ("có chữ kéo dài", "with a stretched word"),
    "abbreviation": ("có chữ viết tắt", "with an abbreviation"),
    "joined": ("các chữ gõ dính nhau", "with words run together"),
    "split": ("một chữ gõ tách đôi", "with a word typed as two"),
    "typo": ("gõ sai một chữ cái", "with one wrong letter"),
    # why a rule does not answer
    "beaten-priority": (
        "{ours} khớp, nhưng priority thấp hơn ({low} so với {high})",
        "{ours} matches, but its priority is lower ({low} against {high})",
    ),
    "beaten-words": ("{ours} khớp ít chữ hơn {theirs}", "{ours} matches fewer words than {theirs}"),
    "beaten-marks": ("{ours} khớp không sát bằng {theirs}", "{ours} fits less exactly than {theirs}"),
    "beaten-spread": (
        "{ours} đứng sau {theirs} trong tin nhắn",
        "{ours} stands after {theirs} in the message",
    ),
    "beaten-letters": ("{ours} khớp ít chữ cái hơn {theirs}", "{ours} matches fewer letters than {theirs}"),
    "beaten-first": (
        "{ours} khớp ngang với {theirs}, nhưng luật này viết sau",
        "{ours} fits as well as {theirs}, but this rule is written later",
    ),
    "beaten-first-event": ("luật này viết sau", "this rule is written later"),
    "beaten-priority-event": (
        "priority thấp hơn ({low} so với {high})",
        "its priority is lower ({low} against {high})",
    ),
    "excluded": ("bị loại vì tin nhắn có {by} (trong exclude)", "kept out because the message has {by} (exclude)"),
    "not-yet": ("chưa tới ngày; luật chỉ chạy {when}", "not yet; it runs only {when}"),
    "over": ("đã hết hạn; luật chỉ chạy {when}", "over; it ran only {when}"),
    "day": ("không đúng ngày trong tuần; luật chỉ chạy {when}", "not on this day of the week; it runs only {when}"),
    "hours": ("ngoài giờ; luật chỉ chạy {when}", "outside its hours; it runs only {when}"),
    "oa": ("không dành cho OA này, chỉ cho OA {ids}", "not for this OA, only for {ids}"),
    "off": ("đang tắt (enabled: false)", "switched off (enabled: false)"),
    "would-answer": ("; nếu không thì luật này đã trả lời", "; but for that, it would answer"),
    # what nearly matched
    "near-marks": ('"{typed}" khác dấu với "{wanted}"{of}', '"{typed}" contradicts "{wanted}"{of}'),
    "near-unmarked": (
        '"{typed}" không dấu trong một câu có dấu nên không hiểu là "{wanted}"',
        '"{typed}" has no marks in a message that has them, so it is not read as "{wanted}"',
    ),
    "near-place-exact": (
        'có "{wanted}", nhưng từ khóa này đòi cả tin nhắn chỉ là chữ đó (match: exact)',
        '"{wanted}" is there, but this keyword must be the whole message (match: exact)',
    ),
    "near-place-prefix": (
        'có "{wanted}", nhưng từ khóa này phải đứng đầu tin nhắn (match: prefix)',
        '"{wanted}" is there, but this keyword must begin the message (match: prefix)',
    ),
    "near-glued": (
        '"{wanted}" dính liền trong "{typed}" nên không tính',
        '"{wanted}" is only a part of "{typed}"',
    ),
    "near-letter": ('"{typed}" khác "{wanted}" một chữ cái{of}', '"{typed}" is one letter off "{wanted}"{of}'),
    "near-between": (
        '"{typed}" chen vào giữa từ khóa "{keyword}"',
        '"{typed}" stands inside the keyword "{keyword}"',
    ),
    "near-missing": (
        'thiếu chữ "{wanted}" của từ khóa "{keyword}"',
        '"{wanted}" of the keyword "{keyword}" is missing',
    ),
    "near-word": ('là "{typed}" chứ không phải "{wanted}"{of}', '"{typed}" instead of "{wanted}"{of}'),
    "near-of": (' trong từ khóa "{keyword}"', ' of the keyword "{keyword}"'),
    "incomplete": ("có {words}, nhưng thiếu một trong: {missing}", "has {words}, but none of: {missing}"),
    # what to write
    "advice-line": (
        "Nếu câu này thuộc luật {rule}, hãy sửa dòng keywords của luật đó thành:",
        "If this belongs to the rule {rule}, change its keywords to:",
    ),
    "advice-rule": ("Muốn bot trả lời, hãy thêm một luật:", "To have it answered, add a rule:"),
    # times
    "from-until": ("từ {first} đến hết {last}", "from {first} to the end of {last}"),
    "from": ("từ {first}", "from {first}"),
    "until": ("đến hết {last}", "until the end of {last}"),
    "days-run": ("{first} đến {last}", "{first} to {last}"),
    "hours-run": ("lúc {first}–{last}", "at {first}–{last}"),
    "mon": ("thứ hai", "Monday"),
    "tue": ("thứ ba", "Tuesday"),
    "wed": ("thứ tư", "Wednesday"),
    "thu": ("thứ năm", "Thursday"),
    "fri": ("thứ sáu", "Friday"),
    "sat": ("thứ bảy", "Saturday"),
    "sun": ("chủ nhật", "Sunday"),
    "days": ("{count} ngày", "{count} days"),
    "hours-long": ("{count} giờ", "{count} hours"),
    "minutes": ("{count} phút", "{count} minutes"),
    "seconds": ("{count} giây", "{count} seconds"),
}


def say(key: str, lang: Language, /, **args: object) -> str:
    """Return the text *key* in *lang*, filled with *args*."""
    vi, en = _TEXTS[key]
    return (vi if lang == "vi" else en).format(**args)


def winner_text(explanation: Explanation, lang: Language) -> str:
    """Return which rule answers and by what."""
    match = explanation.winner
    if match is None:
        return say("no-rule-fallback" if explanation.reply else "no-rule", lang)
    if explanation.kind != "text":
        return match.rule.id
    key = "by-groups" if len(match.hits) > 1 else "by-keyword" if match.hits else "by-pattern"
    ways = [say(kind, lang) for kind in dict.fromkeys(hit.kind for hit in match.hits) if kind != "exact"]
    return say(key, lang, rule=match.rule.id, words=_words(match)) + (f" ({', '.join(ways)})" if ways else "")


def notes(explanation: Explanation, lang: Language) -> list[str]:
    """Return what may keep the answer back another time."""
    found = [say("pause", lang, time=duration(explanation.cooldown, lang))] if explanation.cooldown else []
    if explanation.winner:
        rule = explanation.winner.rule
        found += [say("only-when", lang, when=schedule(rule.active, lang))] if rule.active else []
        found += [say("only-oa", lang, ids=", ".join(rule.oa))] if rule.oa else []
    return found


def other_rules(explanation: Explanation, lang: Language) -> Iterator[tuple[str, str]]:
    """Yield the ids of the other rules that match, each with why it does not answer."""
    if explanation.winner:
        for outranked in explanation.outranked:
            yield outranked.match.rule.id, outranked_text(outranked, explanation.winner, lang)
    for excluded in explanation.excluded:
        yield excluded.rule.id, excluded_text(excluded, lang)
    for inactive in explanation.inactive:
        yield inactive.match.rule.id, inactive_text(inactive, lang)


def near_misses(explanation: Explanation, lang: Language) -> Iterator[tuple[str, str]]:
    """Yield the ids of the rules that nearly match, each with what is amiss."""
    for near in explanation.near:
        yield near.rule.id, near_text(near, lang)
    for incomplete in explanation.incomplete:
        yield incomplete.rule.id, incomplete_text(incomplete, lang)


def outranked_text(outranked: Outranked, winner: Match, lang: Language) -> str:
    """Return in what a rule falls short of the winner."""
    ours, theirs = outranked.match, winner
    key = f"beaten-{outranked.why}" if ours.rule.on == "text" else f"beaten-{outranked.why}-event"
    ranks = {"low": ours.rule.priority, "high": theirs.rule.priority}
    return say(key, lang, ours=_words(ours), theirs=_words(theirs), **ranks)


def excluded_text(excluded: Excluded, lang: Language) -> str:
    """Return which word keeps a rule out."""
    return say("excluded", lang, by=f'"{excluded.by.keyword.text}"')


def inactive_text(inactive: Inactive, lang: Language) -> str:
    """Return why a rule is not in play, and when it would be."""
    rule = inactive.match.rule
    when = schedule(rule.active, lang) if rule.active else ""
    said = say(inactive.why, lang, when=when, ids=", ".join(rule.oa))
    return said + (say("would-answer", lang) if inactive.would_answer else "")


def near_text(near: Near, lang: Language) -> str:
    """Return the little that stands between the message and a keyword."""
    miss, keyword = near.miss, near.miss.keyword.text
    mode = miss.keyword.match
    key = f"near-place-{mode}" if miss.reason == "place" and mode in {"exact", "prefix"} else f"near-{miss.reason}"
    of = "" if miss.wanted == keyword else say("near-of", lang, keyword=keyword)
    return say(key, lang, typed=" ".join(miss.typed.split()), wanted=miss.wanted, keyword=keyword, of=of)


def incomplete_text(incomplete: Incomplete, lang: Language) -> str:
    """Return which group of words is missing."""
    some = incomplete.missing[:_MOST_WORDS]
    missing = ", ".join(some) + (", …" if len(incomplete.missing) > len(some) else "")
    return say("incomplete", lang, words=_quoted(incomplete.hits), missing=missing)


def suggestion_text(suggestion: Suggestion, lang: Language) -> str:
    """Return the sentence above the YAML of the suggestion."""
    return say("advice-rule", lang) if suggestion.is_new else say("advice-line", lang, rule=suggestion.rule_id)


def schedule(active: Active, lang: Language) -> str:
    """Return when a rule counts, as one says it."""
    parts = [_dates(active, lang), _days(active, lang)]
    if active.hours:
        first, last = f"{active.hours.start:%H:%M}", f"{active.hours.end:%H:%M}"
        parts.append(say("hours-run", lang, first=first, last=last))
    return ", ".join(filter(None, parts))


def weekday(day: int, lang: Language) -> str:
    """Return the name of a day of the week; 0 is Monday."""
    return say(DAYS[day], lang)


def duration(time: timedelta, lang: Language) -> str:
    """Return a length of time in the largest unit that it is a whole number of; a day is 24 hours."""
    seconds = int(time.total_seconds())
    key, size = next(
        (key, size)
        for key, size in (("days", 86_400), ("hours-long", 3_600), ("minutes", 60), ("seconds", 1))
        if seconds % size == 0 and (seconds > size or size < 86_400)
    )
    said = say(key, lang, count=seconds // size)
    return said.removesuffix("s") if lang == "en" and seconds == size else said


def _dates(active: Active, lang: Language) -> str:
    first, last = active.from_date, active.until
    if first and last:
        return say("from-until", lang, first=first, last=last)
    if first:
        return say("from", lang, first=first)
    return say("until", lang, last=last) if last else ""


def _days(active: Active, lang: Language) -> str:
    days = sorted({DAYS.index(day) for day in active.days})
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return say("days-run", lang, first=weekday(days[0], lang), last=weekday(days[-1], lang))
    return ", ".join(weekday(day, lang) for day in days)


def _words(match: Match) -> str:
    """Return what a rule found in the message."""
    return _quoted(match.hits) or f"pattern {match.rule.pattern}"


def _quoted(hits: Iterable[Hit]) -> str:
    return " + ".join(f'"{hit.keyword.text}"' for hit in hits)
