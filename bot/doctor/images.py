"""Whether the pictures that the rules name can be sent, as far as a few looks can tell."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.doctor.finding import Finding, Level, Texts, Words
from bot.i18n import NN_
from bot.image_health.probe import look_at
from bot.image_health.references import Picture, named, today
from bot.image_health.texts import IMAGE_WORDS, facts
from bot.image_health.verdict import Look, Word
from bot.net.addresses import AddressPolicy
from bot.net.public import MAX_FETCH_SECONDS
from bot.redaction import single_line
from bot.rules.engine import RuleSet
from bot.rules.validate import validate

# A person waits for the answer.
_MOST_LOOKS: Final = 50
_MOST_SECONDS: Final = 30.0
_MOST_NAMED: Final = 3

TEXTS: Final[Texts] = {
    "pictures": Words(NN_("{count} picture looked at: fine.", "{count} pictures looked at: fine.")),
} | {
    f"picture-{code}": Words(words.said, words.why, words.todo, lead="{picture}: ")
    for code, words in IMAGE_WORDS.items()
    if code != "ok"
}


def check_pictures(rules_file: Path, addresses: AddressPolicy, *, now: float) -> Iterator[Finding]:
    """
    Yield each picture that is not well, how many are, and which could not be looked at.

    It looks for half a minute at most. Rules that cannot be used name no pictures.
    """
    rules = _rules(rules_file, now)
    if rules is None:
        return
    well, doubtful = 0, defaultdict[Word, list[Picture]](list)
    for picture, look in _looks(rules, rules_file.parent, addresses, now):
        if look.standing == "bad":
            yield _bad(picture, look)
        elif look.standing == "ok":
            well += 1
        else:
            doubtful[look.word].append(picture)
    if well:
        yield _finding("fine", "pictures", count=well)
    for word, pictures in doubtful.items():
        yield _finding("unchecked", f"picture-{word}", picture=_several(pictures), **facts(Look(word)))


def _rules(path: Path, now: float) -> RuleSet | None:
    try:
        return validate(path.read_bytes(), today=datetime.fromtimestamp(now, UTC).date(), folder=path.parent).rules
    except OSError:
        return None


def _looks(rules: RuleSet, folder: Path, addresses: AddressPolicy, now: float) -> Iterator[tuple[Picture, Look]]:
    """Yield the pictures, each with a look at it while there is time."""
    day = today(rules, now)
    ends_at = time.monotonic() + _MOST_SECONDS
    for number, picture in enumerate(named(rules, now=now)):
        seconds = min(MAX_FETCH_SECONDS, ends_at - time.monotonic())
        if number < _MOST_LOOKS and seconds > 0:
            yield picture, look_at(picture, addresses, folder=folder, today=day, seconds=seconds)
        else:
            yield picture, Look("not-checked")


def _bad(picture: Picture, look: Look) -> Finding:
    level: Level = "warning" if look.may_pass else "problem"
    place = f"{_shown(picture)} ({', '.join(picture.rules[:_MOST_NAMED])})"
    return _finding(level, f"picture-{look.word}", picture=place, **facts(look))


def _several(pictures: list[Picture]) -> str:
    names = ", ".join(map(_shown, pictures[:_MOST_NAMED]))
    return f"{names} (+{len(pictures) - _MOST_NAMED})" if len(pictures) > _MOST_NAMED else names


def _shown(picture: Picture) -> str:
    return single_line(picture.shown)


def _finding(level: Level, code: str, **args: object) -> Finding:
    return Finding("pictures", level, code, args)
