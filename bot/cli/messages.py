"""Commands for editors about past messages: those without an answer, and what other rules would answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, get_args

import click

from bot.analysis.backtest import Comparison, Effect, Shift, compare
from bot.analysis.topics import Question, QuestionGroup, group_by_words, split_ignored
from bot.analysis.unmatched import Gap, find_gaps, split_small_talk, unanswered_questions, unanswered_topics
from bot.cli.context import EXIT_PROBLEMS, load_rules_file, load_settings, open_database, print_problems, today
from bot.cli.events_output import moment
from bot.files import read_plain_file
from bot.i18n import N_, Language, translator
from bot.inbox.editing.ignored_topics import IgnoredTopics
from bot.inbox.messages import Message
from bot.inbox.queries import EventQueries
from bot.rules.engine import RuleSet, compile_rules
from bot.rules.explain_text import obstacles, suggestion_text
from bot.rules.model.schema import RuleFile
from bot.rules.validate import validate

_DAY = 86_400.0
_NUMBER = click.IntRange(1, 100_000)
_MAX_READ: Final = 50_000
_MAX_TRIED: Final = 2_000  # recent messages whose answers a suggestion must not change
_MAX_LETTERS = 100
_EFFECTS: Final[dict[Effect, str]] = {
    "gained": N_("Now answered by a rule: {count}"),
    "changed": N_("Answered differently: {count}"),
    "lost": N_("No longer answered by a rule: {count}"),
}


@click.command()
@click.option("--days", type=click.IntRange(1, 3660), default=7, show_default=True, help="How far to look back.")
@click.option("--limit", type=_NUMBER, default=20, show_default=True, help="At most so many questions.")
@click.option("--yaml", "as_yaml", is_flag=True, help="Print pieces of YAML that would answer them, ready to paste.")
def unmatched(*, days: int, limit: int, as_yaml: bool) -> None:
    """
    Show what customers asked and no rule answered, what most of them asked first.

    Spellings of the same words count as one question; long numbers and e-mail addresses are left out.

    Exit status: 0 fine, 2 usage, 3 could not run.
    """
    settings = load_settings()
    lang = settings.bot_lang
    _ = translator(lang).gettext
    rules = _rules_in_force(settings.rules_file, lang)
    with open_database(settings) as database:
        now = database.now()
        messages = EventQueries(database).unmatched(_MAX_READ, since=now - days * _DAY)
        answered = EventQueries(database).messages(_MAX_TRIED)
        names = [topic.name for topic in IgnoredTopics(database).all()]
    asking, small_talk = split_small_talk(messages)
    groups, ignored = split_ignored(group_by_words(asking), names)
    topics = islice(unanswered_topics(groups, rules, now=now), limit)
    found = find_gaps(topics, rules, now=now, answered=answered)
    left_out = [*_ignored_lines(ignored, lang), *_small_talk_lines(small_talk, rules, lang, now=now)]
    if as_yaml:
        lines = _yaml_lines(found, lang)
    elif found:
        lines = iter(
            [
                _("What no rule answered in the last {days} days:").format(days=days),
                "",
                *_list_lines(found, lang),
                *left_out,
                "",
                _("With --yaml: what to paste into rules.yaml."),
            ]
        )
    else:
        lines = iter(
            [
                _("The last {days} days hold no question that the present rules do not answer.").format(days=days),
                *left_out,
            ]
        )
    click.echo("\n".join(lines))
    if len(messages) == _MAX_READ:
        click.echo(_("Only the {count} newest messages were looked at.").format(count=_MAX_READ), err=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--limit", type=_NUMBER, default=2000, show_default=True, help="How many messages to try.")
def backtest(*, file: Path, limit: int) -> None:
    """
    Show which recent real messages the rules in FILE would have answered differently.

    Each message is tried at its own time and OA. What cooldowns held back counts as answered.

    Exit status: 0 fine, 1 the file has problems, 2 usage, 3 could not run.
    """
    settings = load_settings()
    lang = settings.bot_lang
    rules = _rules_to_try(file, lang)
    with open_database(settings) as database:
        messages = EventQueries(database).messages(limit)
    click.echo("\n".join(_comparison_lines(compare(rules, messages), file, lang)))


def _rules_in_force(path: Path, lang: Language) -> RuleSet:
    """Return the rules of the file; if it has errors, print so and return an empty set."""
    _ = translator(lang).gettext
    try:
        rules = validate(read_plain_file(path), today=today()).rules
    except OSError:
        rules = None
    if rules is None:
        click.echo(_("{path} cannot be used, so no near rules are named; see: bot check").format(path=path), err=True)
        return compile_rules(RuleFile(rules=()), digest="")
    return rules


def _rules_to_try(path: Path, lang: Language) -> RuleSet:
    """Return the rules of the file, or end the command with their errors."""
    _ = translator(lang).gettext
    data, result = load_rules_file(path, lang)
    if result.rules is None:
        print_problems(result, path, data, lang)
        click.echo(_("{path} has errors; it was tried on no message.").format(path=path))
        raise SystemExit(EXIT_PROBLEMS)
    return result.rules


def _list_lines(found: Iterable[Gap], lang: Language) -> Iterator[str]:
    _ = translator(lang).gettext
    for gap in found:
        yield f"{_people(gap.question, lang):>10}  {_short(gap.question.text)}"
        for rule, why in islice(obstacles(gap.explanation, lang), 1):
            yield f"{'':12}" + _("{rule}: {why}").format(rule=rule, why=why)


def _ignored_lines(ignored: Mapping[str, Sequence[QuestionGroup]], lang: Language) -> Iterator[str]:
    """Yield one line with the number of these topics that are ignored on the console's page Unanswered."""
    count = sum(map(bool, ignored.values()))
    if count:
        text = translator(lang).ngettext(
            "{count} topic ignored in the console", "{count} topics ignored in the console", count
        )
        yield f"{'':12}{text.format(count=count)}"


def _small_talk_lines(messages: Iterable[Message], rules: RuleSet, lang: Language, *, now: float) -> Iterator[str]:
    """Yield one line with a summary of the small talk, if there is any."""
    count = sum(question.times for question in unanswered_questions(group_by_words(messages), rules, now=now))
    if count:
        text = translator(lang).gettext("Short messages that say little: {count}").format(count=count)
        yield f"{'':12}{text}"


def _yaml_lines(found: Iterable[Gap], lang: Language) -> Iterator[str]:
    """Yield the suggested YAML for each question."""
    for gap in found:
        for advice in gap.advice[:1]:
            yield f"  # {_people(gap.question, lang)}: {_short(gap.question.text)}"
            yield f"  # {suggestion_text(advice.suggestion, lang)}"
            yield advice.suggestion.yaml
            yield ""


def _people(question: Question, lang: Language) -> str:
    return translator(lang).ngettext("{count} person", "{count} people", question.people).format(count=question.people)


def _comparison_lines(comparison: Comparison, file: Path, lang: Language) -> Iterator[str]:
    _ = translator(lang).gettext
    if comparison.oldest_at is None or comparison.newest_at is None:
        yield _("There are no messages to try it on.")
        return
    period = {"oldest": moment(comparison.oldest_at, lang), "newest": moment(comparison.newest_at, lang)}
    yield _("{path}, tried on {messages} real messages ({oldest} to {newest}): {same} answered as before.").format(
        path=file, messages=comparison.messages, same=comparison.same, **period
    )
    for effect in get_args(Effect):
        shifts = [shift for shift in comparison.shifts if shift.effect == effect]
        yield from ("", _(_EFFECTS[effect]).format(count=comparison.count(effect)))
        for shift in shifts:
            yield from _shift_lines(shift, lang)


def _shift_lines(shift: Shift, lang: Language) -> Iterator[str]:
    _ = translator(lang).gettext
    silence = _("(no answer)")
    yield f"{shift.times:>6}  {shift.before or silence} → {shift.after or silence}"
    for example in shift.examples:
        yield f"{'':10}{_short(example)}"


def _short(text: str) -> str:
    return text if len(text) <= _MAX_LETTERS else text[: _MAX_LETTERS - 1] + "…"
