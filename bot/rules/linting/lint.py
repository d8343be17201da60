"""Lint a well-formed rules file: keywords, excludes, patterns and links that are unlikely to be intended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from bot.rules.language.common_words import COMMON_BY_LETTERS, COMMON_WORDS, LIKELY_MEANT
from bot.rules.language.syllables import is_syllable, needs_no_marks
from bot.rules.language.text import normalise
from bot.rules.linting.conflicts import conflicts
from bot.rules.linting.event_rules import shadowed_event_rules
from bot.rules.linting.expiry import expired, images_of
from bot.rules.linting.keyword_index import KeywordIndex, KeywordUse, always_within, at_every_place, index_keywords
from bot.rules.linting.patterns import pattern_problems
from bot.rules.linting.wording import wording_problems
from bot.rules.matching.matcher import MAX_SYLLABLES, KeywordPattern, Matcher
from bot.rules.matching.short_forms import abbreviation_keys
from bot.rules.model.image_links import link_warnings
from bot.rules.model.schema import RuleFile
from bot.rules.problem import Problem, in_order
from bot.rules.reading.loader import Loaded, Places


def check(loaded: Loaded, *, today: date) -> tuple[Problem, ...]:
    """Return every conflict and warning of the rules that could be read; *today* is the editor's date."""
    if loaded.part is None:
        return ()
    words = index_keywords(loaded.part, loaded.places)
    return in_order(
        [
            *conflicts(words),
            *_everyday(words),
            *_redundant(words),
            *_literal(words),
            *_contains(words),
            *_too_long(words),
            *_excludes(words),
            *wording_problems(words),
            *shadowed_event_rules(loaded.part, loaded.places),
            *_patterns(words),
            *_abbreviations(loaded.part, loaded.places),
            *_links(loaded.part, loaded.places, today=today),
            *expired(loaded.part, loaded.places, today=today),
        ]
    )


def _everyday(words: KeywordIndex) -> Iterator[Problem]:
    """Yield the keywords of one syllable that is a stop word, or looks like one without marks."""
    for word in words.keywords:
        if len(word.letters) != 1 or word.keyword.match not in {"phrase", "prefix"}:
            continue
        text, common = normalise(word.keyword.text).strip(), COMMON_BY_LETTERS.get(word.letters[0])
        if text in COMMON_WORDS:
            yield Problem.at(word.place, "everyday-keyword", word=word.keyword.text)
        elif common is not None:
            yield Problem.at(word.place, "everyday-keyword/twin", word=word.keyword.text, common=common)


def _redundant(words: KeywordIndex) -> Iterator[Problem]:
    """Yield the keywords of a rule that another of its keywords makes redundant."""
    for one_list in (words.keywords, words.excludes):
        seen: dict[tuple[object, ...], KeywordUse] = {}
        marked = {(w.index, w.letters, w.keyword.match): w for w in reversed(one_list) if w.marks}
        for word in one_list:
            first = seen.setdefault((word.index, word.words, word.keyword.match), word)
            other = marked.get((word.index, word.letters, word.keyword.match))
            text = word.keyword.text
            if first is not word:
                yield Problem.at(word.place, "redundant-keyword/same", word=text, line=first.place.line)
            elif other is not None and not word.marks:
                yield Problem.at(word.place, "redundant-keyword", word=text, other=other.keyword.text)


def _literal(words: KeywordIndex) -> Iterator[Problem]:
    """Yield the bare syllables that are words without marks but may lack forgotten marks."""
    forgetful = any(map(_lost_marks, words.keywords))
    marked = {(word.index, word.letters) for word in words.keywords if word.marks}
    for word in words.keywords:
        if not word.parsed.marks_exact or word.letters[0] in COMMON_BY_LETTERS or (word.index, word.letters) in marked:
            continue
        if not word.keyword.text[:1].isalnum():
            continue  # a code that customers are told to send, such as "#gia"
        near = LIKELY_MEANT.get(word.letters[0])
        if near is not None:
            yield Problem.at(word.place, "literal-keyword", word=word.keyword.text, near=near)
        elif forgetful:
            yield Problem.at(word.place, "literal-keyword/unsure", word=word.keyword.text)


def _lost_marks(word: KeywordUse) -> bool:
    """Return whether the keyword lacks marks that it must have."""
    bare = [letters for letters in word.letters if is_syllable(letters)]
    return not word.marks and any(not needs_no_marks(letters) for letters in bare)


def _contains(words: KeywordIndex) -> Iterator[Problem]:
    for word in (*words.keywords, *words.grouped):
        if word.keyword.match == "contains":
            yield Problem.at(word.place, "contains-keyword", word=word.keyword.text)


def _too_long(words: KeywordIndex) -> Iterator[Problem]:
    for word in (*words.keywords, *words.grouped, *words.excludes):
        if word.parsed.cut:
            size = len(word.parsed.syllables)
            yield Problem.at(word.place, "keyword-too-long", size=size, limit=MAX_SYLLABLES)


def _excludes(words: KeywordIndex) -> Iterator[Problem]:
    """Yield the excludes contained in a keyword of their own rule, which then hardly ever matches."""
    excludes = words.excludes
    matcher = Matcher(
        [KeywordPattern(n, x.keyword.text, x.keyword.match, role="exclude") for n, x in enumerate(excludes)]
    )
    killed: dict[int, tuple[KeywordUse, bool]] = {}
    for word in (*words.keywords, *words.grouped) if excludes else ():
        for number, hit in matcher.hits(word.keyword.text).excluded.items():
            exclude = excludes[number]
            if exclude.index == word.index and at_every_place(exclude.keyword, word.keyword):
                sure = always_within(exclude, hit, word)
                if number not in killed or (sure and not killed[number][1]):
                    killed[number] = word, sure
    for number, (word, sure) in killed.items():
        key = "exclude-kills" if sure else "exclude-kills/mostly"
        names = {"word": excludes[number].keyword.text, "keyword": word.keyword.text}
        yield Problem.at(excludes[number].place, key, line=word.place.line, **names)


def _abbreviations(file: RuleFile, places: Places) -> Iterator[Problem]:
    for short in file.abbreviations:
        if not abbreviation_keys(short):
            yield Problem.at(places.at("abbreviations", short), "abbreviation-words", word=short)


def _patterns(words: KeywordIndex) -> Iterator[Problem]:
    for index, rule in words.of_rules():
        if rule.pattern is not None:
            yield from pattern_problems(rule.pattern, words.places.at("rules", index, "pattern"))


def _links(file: RuleFile, places: Places, *, today: date) -> Iterator[Problem]:
    for image, path in images_of(file):
        for code, args in link_warnings(image.image_url, today=today) if image.image_url else ():
            yield Problem.at(places.at(*path, "image_url"), code, **args)
        for code, args in link_warnings(image.otherwise.image_url, today=today) if image.otherwise else ():
            yield Problem.at(places.at(*path, "else", "image_url"), code, **args)
