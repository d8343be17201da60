"""The sentences of an explanation, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from bot.i18n import N_, Language, format_date, translator
from bot.rules.explain import Excluded, Explanation, Inactive, Incomplete, Match, Near, Outranked
from bot.rules.matching.matcher import Hit
from bot.rules.model.field_parsers import DAYS
from bot.rules.model.schema import Active
from bot.rules.suggest import Suggestion

_MAX_WORDS = 6

_TEXTS: Final = {
    # how a keyword was found
    "unmarked": N_("marks left out"),
    "stretched": N_("with a stretched word"),
    "abbreviation": N_("with an abbreviation"),
    "joined": N_("with words run together"),
    "split": N_("with a word typed as two"),
    "glued": N_("with a word typed to its neighbour"),
    "spelling": N_("spelled as in chats"),
    "ambiguous": N_("with an ambiguous abbreviation"),
    "typo": N_("with one wrong letter"),
    "telex": N_("with keys of Telex or VNI left in"),
    "tone": N_("with hỏi and ngã confused"),
    # why a rule does not answer
    "beaten-priority": N_("{ours} matches, but its priority is lower ({low} against {high})"),
    "beaten-certainty": N_("{ours} lacks marks in a message that has them, so {theirs} is surer"),
    "beaten-words": N_("{ours} matches fewer words than {theirs}"),
    "beaten-marks": N_("{ours} fits less exactly than {theirs}"),
    "beaten-spread": N_("{ours} stands after {theirs} in the message"),
    "beaten-letters": N_("{ours} matches fewer letters than {theirs}"),
    "beaten-first": N_("{ours} fits as well as {theirs}, but this rule is written later"),
    "beaten-first-event": N_("this rule is written later"),
    "beaten-priority-event": N_("its priority is lower ({low} against {high})"),
    "not-yet": N_("not yet; it runs only {when}"),
    "over": N_("over; it ran only {when}"),
    "day": N_("not on this day of the week; it runs only {when}"),
    "hours": N_("outside its hours; it runs only {when}"),
    "oa": N_("not for this OA, only for {ids}"),
    "off": N_("switched off (enabled: false)"),
    # what nearly matched
    "near-marks": N_('"{typed}" contradicts "{wanted}"{of}'),
    "near-unmarked": N_('"{typed}" is a word of its own here, so it is not read as "{wanted}"'),
    "near-ambiguous": N_(
        '"{typed}" may be "{wanted}" but has other meanings; if it always means that here, add it to abbreviations'
    ),
    "near-place-exact": N_('"{wanted}" is there, but this keyword must be the whole message (match: exact)'),
    "near-place-prefix": N_('"{wanted}" is there, but this keyword must begin the message (match: prefix)'),
    "near-glued": N_('"{wanted}" is only a part of "{typed}"'),
    "near-letter": N_('"{typed}" is one letter off "{wanted}"{of}'),
    "near-between": N_('"{typed}" stands inside the keyword "{keyword}"'),
    "near-missing": N_('"{wanted}" of the keyword "{keyword}" is missing'),
    "near-word": N_('"{typed}" instead of "{wanted}"{of}'),
    # days of the week
    "mon": N_("Monday"),
    "tue": N_("Tuesday"),
    "wed": N_("Wednesday"),
    "thu": N_("Thursday"),
    "fri": N_("Friday"),
    "sat": N_("Saturday"),
    "sun": N_("Sunday"),
}


def winner_text(explanation: Explanation, lang: Language) -> str:
    """Return which rule answers, and which keyword matched."""
    _ = translator(lang).gettext
    match = explanation.winner
    if match is None:
        return _("no rule answers, so the fallback does") if explanation.reply else _("no rule answers")
    if explanation.kind != "text":
        return match.rule.id
    text = _("{rule}, by one word of each group: {words}")
    if len(match.hits) < 2:
        text = _("{rule}, by the keyword {words}") if match.hits else _("{rule}, by the {words}")
    ways = [_(_TEXTS[kind]) for kind in dict.fromkeys(hit.kind for hit in match.hits) if kind != "exact"]
    read_as = _('"{typed}" read as «{wanted}»')
    ways += [read_as.format(typed=typed, wanted=wanted) for typed, wanted in explanation.rereadings()]
    return text.format(rule=match.rule.id, words=_words(match)) + (f" ({', '.join(ways)})" if ways else "")


def notes(explanation: Explanation, lang: Language) -> list[str]:
    """Return the conditions that may prevent the answer at another time."""
    _ = translator(lang).gettext
    found = []
    if explanation.cooldown:
        found.append(
            _("each customer gets it at most once in {time}").format(time=duration(explanation.cooldown, lang))
        )
    if explanation.winner:
        rule = explanation.winner.rule
        found += [_("this rule runs only {when}").format(when=schedule(rule.active, lang))] if rule.active else []
        found += [_("this rule is only for the OA {ids}").format(ids=", ".join(rule.oa))] if rule.oa else []
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


def obstacles(explanation: Explanation, lang: Language) -> Iterator[tuple[str, str]]:
    """Yield the rules that nearly answer, the nearest first, each with what prevents it."""
    yield from other_rules(explanation, lang)
    yield from near_misses(explanation, lang)


def near_misses(explanation: Explanation, lang: Language) -> Iterator[tuple[str, str]]:
    """Yield the ids of the rules that nearly match, each with the difference."""
    for near in explanation.near:
        yield near.rule.id, near_text(near, lang)
    for incomplete in explanation.incomplete:
        yield incomplete.rule.id, incomplete_text(incomplete, lang)


def outranked_text(outranked: Outranked, winner: Match, lang: Language) -> str:
    """Return the criterion by which a rule loses to the winner."""
    _ = translator(lang).gettext
    ours, theirs = outranked.match, winner
    key = f"beaten-{outranked.why}" if ours.rule.on == "text" else f"beaten-{outranked.why}-event"
    ranks = {"low": ours.rule.priority, "high": theirs.rule.priority}
    return _(_TEXTS[key]).format(ours=_words(ours), theirs=_words(theirs), **ranks)


def excluded_text(excluded: Excluded, lang: Language) -> str:
    """Return which word keeps a rule out."""
    _ = translator(lang).gettext
    return _("kept out because the message has {by} (exclude)").format(by=f'"{excluded.by.keyword.text}"')


def inactive_text(inactive: Inactive, lang: Language) -> str:
    """Return why a rule is not active, and when it would be."""
    _ = translator(lang).gettext
    rule = inactive.match.rule
    when = schedule(rule.active, lang) if rule.active else ""
    text = _(_TEXTS[inactive.why]).format(when=when, ids=", ".join(rule.oa))
    return text + (_("; but for that, it would answer") if inactive.would_answer else "")


def near_text(near: Near, lang: Language) -> str:
    """Return the difference between the message and a keyword."""
    _ = translator(lang).gettext
    miss, keyword = near.miss, near.miss.keyword.text
    mode = miss.keyword.match
    key = f"near-place-{mode}" if miss.reason == "place" and mode in {"exact", "prefix"} else f"near-{miss.reason}"
    of = "" if miss.wanted == keyword else _(' of the keyword "{keyword}"').format(keyword=keyword)
    return _(_TEXTS[key]).format(typed=" ".join(miss.typed.split()), wanted=miss.wanted, keyword=keyword, of=of)


def incomplete_text(incomplete: Incomplete, lang: Language) -> str:
    """Return which group of words is missing."""
    _ = translator(lang).gettext
    some = incomplete.missing[:_MAX_WORDS]
    missing = ", ".join(some) + (", …" if len(incomplete.missing) > len(some) else "")
    return _("has {words}, but none of: {missing}").format(words=_quoted(incomplete.hits), missing=missing)


def suggestion_text(suggestion: Suggestion, lang: Language) -> str:
    """Return the sentence above the YAML of the suggestion."""
    _ = translator(lang).gettext
    if suggestion.is_new:
        return _("To have it answered, add a rule:")
    return _("If this belongs to the rule {rule}, change its keywords to:").format(rule=suggestion.rule_id)


def schedule(active: Active, lang: Language) -> str:
    """Return when a rule is active, in words."""
    _ = translator(lang).gettext
    parts = [_dates(active, lang), _days(active, lang)]
    if active.hours:
        first, last = f"{active.hours.start:%H:%M}", f"{active.hours.end:%H:%M}"
        parts.append(_("at {first}–{last}").format(first=first, last=last))
    return ", ".join(filter(None, parts))


def weekday(day: int, lang: Language) -> str:
    """Return the name of a day of the week; 0 is Monday."""
    return translator(lang).gettext(_TEXTS[DAYS[day]])


def duration(time: timedelta, lang: Language) -> str:
    """Return a length of time in the largest unit that it is a whole number of; a day is 24 hours."""
    seconds = int(time.total_seconds())
    size = next(size for size in (86_400, 3_600, 60, 1) if seconds % size == 0 and (seconds > size or size < 86_400))
    count, ngettext = seconds // size, translator(lang).ngettext
    texts = {
        86_400: ngettext("{count} day", "{count} days", count),
        3_600: ngettext("{count} hour", "{count} hours", count),
        60: ngettext("{count} minute", "{count} minutes", count),
        1: ngettext("{count} second", "{count} seconds", count),
    }
    return texts[size].format(count=count)


def _dates(active: Active, lang: Language) -> str:
    _ = translator(lang).gettext
    first, last = (format_date(day, lang) if day else "" for day in (active.from_date, active.until))
    if first and last:
        return _("from {first} to the end of {last}").format(first=first, last=last)
    if first:
        return _("from {first}").format(first=first)
    return _("until the end of {last}").format(last=last) if last else ""


def _days(active: Active, lang: Language) -> str:
    _ = translator(lang).gettext
    days = sorted({DAYS.index(day) for day in active.days})
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return _("{first} to {last}").format(first=weekday(days[0], lang), last=weekday(days[-1], lang))
    return ", ".join(weekday(day, lang) for day in days)


def _words(match: Match) -> str:
    """Return what a rule found in the message."""
    return _quoted(match.hits) or f"pattern {match.rule.pattern}"


def _quoted(hits: Iterable[Hit]) -> str:
    return " + ".join(f'"{hit.keyword.text}"' for hit in hits)
