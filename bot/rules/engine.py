"""Rank the rules that match an event and decide which one answers: a pure function."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from bot.rules.language.text import fold
from bot.rules.matching.matcher import Hit, Hits, KeywordPattern, Matcher
from bot.rules.model.field_parsers import DAYS
from bot.rules.model.schema import Active, Image, Reply, Rule, RuleFile

#: The rule id under which answers of the fallback are recorded; no rule can have it.
FALLBACK = "(fallback)"

#: Why a rule is not active.
InactiveReason = Literal["oa", "not-yet", "over", "day", "hours"]
#: Why an event got the answer it got, or none.
Reason = Literal["rule", "fallback", "no-match", "cooldown", "fallback-cooldown"]


@dataclass(frozen=True, eq=False)
class RuleSet:
    """A compiled rules file, ready to decide. Immutable, so threads share it; two are equal only if they are one."""

    file: RuleFile
    digest: str
    """SHA-256 of the file's bytes, in hex."""
    zone: ZoneInfo
    matcher: Matcher
    patterns: Mapping[int, Any]
    """Compiled RE2 by rule index."""
    by_kind: Mapping[str, tuple[int, ...]]
    """The enabled rules for each kind of event, by index."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 in hex of the image files when the rules were read, by name; some may be missing."""

    @cached_property
    def switched_off(self) -> RuleSet | None:
        """
        The disabled rules as if enabled, and the others disabled, at the same indices; None if no rule is disabled.

        Their patterns are left out, because those are not checked.
        """
        rules = self.file.rules
        if all(rule.enabled for rule in rules):
            return None
        on = {"enabled": True, "pattern": None}
        turned = (rule.model_copy(update={"enabled": False} if rule.enabled else on) for rule in rules)
        return compile_rules(self.file.model_copy(update={"rules": tuple(turned)}), self.digest)


@dataclass(frozen=True, slots=True)
class Incoming:
    """The input of a decision about an event."""

    kind: str
    """Its `on:` value: text, follow, …"""
    text: str
    oa_id: str
    key: str
    """The event key: it chooses among the images of `one_of`, so that a retry sends the same."""


#: The criteria that decide between two matching rules, in order of precedence.
Criterion = Literal["priority", "certainty", "words", "marks", "spread", "letters", "first"]


class Score(NamedTuple):
    """How well a rule matches, by each criterion; the greater score wins."""

    priority: int
    certainty: int
    """0 if marks are missing where the sender types marks, and the words are correct without; else 1."""
    words: int
    marks: int
    spread: int
    letters: int
    first: int
    """Position in the file, so that no two rules are equal."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that matches, and how well."""

    rule: int
    score: Score
    hits: tuple[Hit, ...]
    """What matched: one keyword, or one of each group of `all_of`; empty for a pattern or an event without text."""


def decided_by(winner: Candidate, other: Candidate) -> Criterion:
    """Return the criterion by which *winner* beats another rule's candidate."""
    names: tuple[Criterion, ...] = get_args(Criterion)
    scores = zip(names, winner.score, other.score, strict=True)
    return next(name for name, theirs, others in scores if theirs != others)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The result of ranking all rules for one event; rules by index in the file."""

    ranked: tuple[Candidate, ...]
    """The rules that match and are active, the winner first."""
    excluded: Mapping[int, Hit]
    """The rules that an `exclude` keyword kept from matching, with its hit."""
    inactive: Mapping[int, InactiveReason]
    """The rules that match but are not active at this time or for this OA."""

    @property
    def winner(self) -> int | None:
        """The index of the rule that answers."""
        return self.ranked[0].rule if self.ranked else None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to an event; no images means no answer."""

    rule_id: str | None
    images: tuple[Mapping[str, str], ...]
    """Each as in `choose`."""
    reason: Reason
    keywords: tuple[str, ...] = ()
    """The matched keywords: one, or one of each group of `all_of`; none for a pattern or an event without words."""
    runner_up: str | None = None
    """The rule that would have answered without this one."""


def replies_of(file: RuleFile) -> dict[str, Reply]:
    """Return the reply of each rule by id, disabled rules included, and of the fallback under FALLBACK."""
    fallback = {FALLBACK: file.fallback.reply} if file.fallback else {}
    return {rule.id: rule.reply for rule in file.rules} | fallback


def image_files(file: RuleFile) -> frozenset[str]:
    """Return the names of the image files of all replies, as in the rules' ``file:``."""
    return frozenset(image.file for reply in replies_of(file).values() for image in reply.images if image.file)


def first_examples(file: RuleFile, most: int) -> list[str]:
    """Return the first example of each enabled rule, at most *most*."""
    return [rule.examples[0] for rule in file.rules if rule.enabled and rule.examples][:most]


def compile_rules(file: RuleFile, digest: str) -> RuleSet:
    """Return the file compiled; it must have no errors."""
    enabled = [(index, rule) for index, rule in enumerate(file.rules) if rule.enabled]
    keywords = [keyword for index, rule in enabled for keyword in _keyword_patterns(index, rule)]
    matcher = Matcher(keywords, abbreviations=file.abbreviations, typos=file.typos)
    patterns = {index: compile_pattern(rule.pattern) for index, rule in enabled if rule.pattern is not None}
    by_kind = {kind: tuple(i for i, rule in enabled if rule.on == kind) for kind in {rule.on for _, rule in enabled}}
    return RuleSet(file, digest, ZoneInfo(file.timezone), matcher, patterns, by_kind)


def compile_pattern(pattern: str) -> Any:
    """
    Return the pattern compiled by RE2, whose time is linear in the text for any pattern.

    Raises:
        ImportError: The optional package google-re2 is not installed.
        re2.error: RE2 does not accept the pattern.
    """
    import re2  # noqa: PLC0415  an optional extra

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    return re2.compile(pattern, options)


def _keyword_patterns(index: int, rule: Rule) -> Iterator[KeywordPattern]:
    for keyword in rule.keywords:
        yield KeywordPattern(index, keyword.text, keyword.match)
    for keyword in rule.exclude:
        yield KeywordPattern(index, keyword.text, keyword.match, role="exclude")
    for group, keywords in enumerate(rule.all_of):
        for keyword in keywords:
            yield KeywordPattern(index, keyword.text, keyword.match, role="all_of", group=group)


def rank(
    rules: RuleSet, text: str, *, kind: str = "text", oa_id: str | None = None, now: float | None = None
) -> Ranking:
    """
    Return the ranking of the rules for an event; without *oa_id* or *now*, rules are active for any OA or time.

    Higher priority wins; then the rule whose keyword has more words; then the one that matches more exactly; then the
    one written first. A match without marks in a message that has marks loses to a certain one.
    """
    moment = None if now is None else datetime.fromtimestamp(now, rules.zone)
    hits = rules.matcher.hits(text) if kind == "text" else None
    best: dict[int, Candidate] = {}
    for candidate in _candidates(rules, hits, text) if hits else _listeners(rules, kind):
        known = best.get(candidate.rule)
        if known is None or candidate.score > known.score:
            best[candidate.rule] = candidate
    inactive = {i: why for i in best if (why := _inactive_reason(rules.file.rules[i], oa_id, moment)) is not None}
    excluded = {i: hits.excluded[i] for i in best if i in hits.excluded} if hits else {}
    found = [c for c in best.values() if c.rule not in inactive and c.rule not in excluded]
    return Ranking(tuple(sorted(found, key=lambda c: c.score, reverse=True)), excluded, inactive)


def has_words(kind: str, text: str) -> bool:
    """Return whether an event has words: a text, or the caption of an image, a link, a file …"""
    return kind == "text" or bool(text.strip())


def answering_kind(rules: RuleSet, text: str, kind: str, *, oa_id: str | None, now: float | None) -> str:
    """Return the kind whose rules answer: for an image or a link with words, the rules for texts come first."""
    if kind != "text" and has_words(kind, text) and rank(rules, text, oa_id=oa_id, now=now).winner is not None:
        return "text"
    return kind


def decide(rules: RuleSet, incoming: Incoming, *, now: float, last_reply: Callable[[str], float | None]) -> Decision:
    """
    Return the answer to the event.

    *last_reply* returns when a rule last answered this user, in seconds since 1970. A winner within its cooldown sends
    nothing, and no other rule answers instead: a wrong image is worse than none.
    """
    text, oa_id = incoming.text, incoming.oa_id
    kind = answering_kind(rules, text, incoming.kind, oa_id=oa_id, now=now)
    ranking = rank(rules, text, kind=kind, oa_id=oa_id, now=now)
    if ranking.winner is not None:
        rule = rules.file.rules[ranking.winner]
        keywords = tuple(hit.keyword.text for hit in ranking.ranked[0].hits)
        runner_up = rules.file.rules[ranking.ranked[1].rule].id if len(ranking.ranked) > 1 else None
        if _too_soon(rule.cooldown, last_reply, rule.id, now):
            return Decision(rule.id, (), "cooldown", keywords, runner_up)
        return Decision(rule.id, choose(rule.reply, incoming.key, rules.digests), "rule", keywords, runner_up)
    fallback = rules.file.fallback
    if fallback is None or not has_words(incoming.kind, incoming.text):
        return Decision(None, (), "no-match")
    if _too_soon(fallback.every, last_reply, FALLBACK, now):
        return Decision(FALLBACK, (), "fallback-cooldown")
    return Decision(FALLBACK, choose(fallback.reply, incoming.key, rules.digests), "fallback")


def choose(reply: Reply, key: str, digests: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
    """
    Return the reply's images in order; for `one_of`, the one that the event *key* selects, by weight.

    Each is ``{"image_url": …}``, ``{"attachment_id": …}`` or ``{"file": name, "digest": …}`` with the digest from
    *digests*; the latter two also with ``"else"``, a link, if the rule has one.
    """
    if not reply.one_of:
        return tuple(_as_mapping(image, digests) for image in reply.images)
    draw = int.from_bytes(hashlib.sha256(key.encode()).digest()) % sum(image.weight for image in reply.images)
    for image in reply.images:
        draw -= image.weight
        if draw < 0:
            break
    return (_as_mapping(image, digests),)


def _as_mapping(image: Image, digests: Mapping[str, str]) -> Mapping[str, str]:
    stand_in = {"else": image.otherwise.image_url} if image.otherwise is not None else {}
    if image.file is not None:
        return {"file": image.file, "digest": digests.get(image.file, ""), **stand_in}
    if image.attachment_id is not None:
        return {"attachment_id": image.attachment_id, **stand_in}
    return {"image_url": image.image_url or ""}


def _listeners(rules: RuleSet, kind: str) -> Iterator[Candidate]:
    """Yield the rules for events of a kind that has no words to match."""
    for index in rules.by_kind.get(kind, ()):
        yield Candidate(index, Score(rules.file.rules[index].priority, 1, 0, 0, 0, 0, -index), ())


def _candidates(rules: RuleSet, hits: Hits, text: str) -> Iterator[Candidate]:
    """Yield a candidate for each way in which a rule matches; a rule may match in several."""
    for index, hit in hits.any.items():
        yield _candidate(rules, index, (hit,))
    grouped: dict[int, list[Hit]] = {}
    for (index, _group), hit in sorted(hits.all_of.items(), key=lambda item: item[0]):
        grouped.setdefault(index, []).append(hit)
    for index, group_hits in grouped.items():
        if len(group_hits) == len(rules.file.rules[index].all_of):
            yield _candidate(rules, index, tuple(group_hits))
    if rules.patterns:
        folded = fold(text)
        for index, pattern in rules.patterns.items():
            if pattern.search(folded):
                yield Candidate(index, Score(rules.file.rules[index].priority, 1, 1, 0, 0, 0, -index), ())


def _candidate(rules: RuleSet, index: int, hits: tuple[Hit, ...]) -> Candidate:
    score = Score(
        priority=rules.file.rules[index].priority,
        certainty=min(hit.is_certain for hit in hits),
        words=sum(hit.words for hit in hits),
        marks=min(hit.quality for hit in hits),
        spread=min(hit.spread for hit in hits),
        letters=sum(hit.letters for hit in hits),
        first=-index,
    )
    return Candidate(index, score, hits)


def _inactive_reason(rule: Rule, oa_id: str | None, moment: datetime | None) -> InactiveReason | None:
    if oa_id is not None and rule.oa and oa_id not in rule.oa:
        return "oa"
    return _out_of_time(rule.active, moment) if rule.active is not None and moment is not None else None


def _out_of_time(active: Active, moment: datetime) -> InactiveReason | None:
    day, clock = moment.date(), moment.time()
    if active.hours is not None:
        start, end = active.hours.start, active.hours.end
        over_midnight = end <= start
        if over_midnight and clock < end:
            # Hours after midnight belong to the day before.
            day -= timedelta(days=1)
        elif not (start <= clock and (over_midnight or clock < end)):
            return "hours"
    if active.from_date is not None and day < active.from_date:
        return "not-yet"
    if active.until is not None and day > active.until:
        return "over"
    return "day" if active.days and DAYS[day.weekday()] not in active.days else None


def _too_soon(gap: timedelta | None, last_reply: Callable[[str], float | None], rule_id: str, now: float) -> bool:
    if gap is None:
        return False
    last = last_reply(rule_id)
    return last is not None and now - last < gap.total_seconds()
