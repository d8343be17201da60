"""Check whether the images that the rules name can be sent, for at most half a minute."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.doctor.finding import Finding, Level, Texts, Words
from bot.files import read_plain_file
from bot.i18n import NN_
from bot.image_health.probe import probe
from bot.image_health.references import ImageReference, referenced_images, today
from bot.image_health.texts import IMAGE_WORDS, facts
from bot.image_health.verdict import CheckResult, Code
from bot.logs import single_line
from bot.net.addresses import AddressPolicy
from bot.net.public import MAX_FETCH_SECONDS
from bot.rules.engine import RuleSet
from bot.rules.validate import validate

# The time limit in seconds: a person waits for the result.
_MAX_CHECKS: Final = 50
_MAX_SECONDS: Final = 30.0
_MAX_NAMED: Final = 3

TEXTS: Final[Texts] = {
    "pictures": Words(NN_("{count} picture looked at: fine.", "{count} pictures looked at: fine.")),
} | {
    f"picture-{code}": Words(words.message, words.why, words.todo, lead="{picture}: ")
    for code, words in IMAGE_WORDS.items()
    if code != "ok"
}


def check_images(rules_file: Path, addresses: AddressPolicy, *, now: float) -> Iterator[Finding]:
    """
    Yield a finding for each bad image, one for the number of good ones, and one for those not checked in time.

    It takes half a minute at most. Unusable rules name no images.
    """
    rules = _rules(rules_file, now)
    if rules is None:
        return
    well, doubtful = 0, defaultdict[Code, list[ImageReference]](list)
    for image, result in _checks(rules, rules_file.parent, addresses, now):
        if result.status == "bad":
            yield _bad(image, result)
        elif result.status == "ok":
            well += 1
        else:
            doubtful[result.code].append(image)
    if well:
        yield _finding("fine", "pictures", count=well)
    for code, images in doubtful.items():
        yield _finding("unchecked", f"picture-{code}", picture=_several(images), **facts(CheckResult(code)))


def _rules(path: Path, now: float) -> RuleSet | None:
    try:
        return validate(read_plain_file(path), today=datetime.fromtimestamp(now, UTC).date(), folder=path.parent).rules
    except OSError:
        return None


def _checks(
    rules: RuleSet, folder: Path, addresses: AddressPolicy, now: float
) -> Iterator[tuple[ImageReference, CheckResult]]:
    """Yield the images, each with its check result while there is time."""
    day = today(rules, now)
    ends_at = time.monotonic() + _MAX_SECONDS
    for number, image in enumerate(referenced_images(rules, now=now)):
        seconds = min(MAX_FETCH_SECONDS, ends_at - time.monotonic())
        if number < _MAX_CHECKS and seconds > 0:
            yield image, probe(image, addresses, folder=folder, today=day, seconds=seconds)
        else:
            yield image, CheckResult("not-checked")


def _bad(image: ImageReference, result: CheckResult) -> Finding:
    level: Level = "warning" if result.is_transient else "problem"
    place = f"{_loggable(image)} ({', '.join(image.rules[:_MAX_NAMED])})"
    return _finding(level, f"picture-{result.code}", picture=place, **facts(result))


def _several(images: list[ImageReference]) -> str:
    names = ", ".join(map(_loggable, images[:_MAX_NAMED]))
    return f"{names} (+{len(images) - _MAX_NAMED})" if len(images) > _MAX_NAMED else names


def _loggable(image: ImageReference) -> str:
    return single_line(image.loggable)


def _finding(level: Level, code: str, **args: object) -> Finding:
    return Finding("pictures", level, code, args)
