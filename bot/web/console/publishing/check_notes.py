"""Check and publish a draft for a page, and the notes about failures and success."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.analysis.preview_process import TIMEOUT_SECONDS, PreviewTimeout, PreviewTooLarge
from bot.rules.publishing.publisher import EditConflict
from bot.rules.replication.editing import Diverged
from bot.rules.replication.replica import NotWrittenHere
from bot.web.console.formatting import gettext as _
from bot.web.console.publishing import publication
from bot.web.console.publishing.check_session import Busy, CheckResult, CheckSession


@dataclass(frozen=True, slots=True)
class Note:
    """A note for the editor, and the HTTP status of its page."""

    text: str
    status: int
    kind: Literal["bad", "warn"] = "warn"


def check(session: CheckSession, content: bytes, base_digest: str, *, may_reuse: bool = False) -> CheckResult | Note:
    """Return the check of a file with the form's decisions on conflicts, or a note why it failed."""
    return _result_or_note(lambda: session.check(content, base_digest, publication.decisions, may_reuse=may_reuse))


def compare(session: CheckSession, old: bytes, new: bytes) -> CheckResult | Note:
    """Return the comparison of two versions of the file, or a note why it failed."""
    return _result_or_note(lambda: session.compare(old, new))


def _result_or_note(preview: Callable[[], CheckResult]) -> CheckResult | Note:
    try:
        return preview()
    except Busy:
        return busy()
    except PreviewTimeout:
        return too_long()
    except PreviewTooLarge:
        return too_large()


def publish(
    session: CheckSession, result: CheckResult, content: bytes, base_digest: str, *, restored: str = ""
) -> Note | None:
    """
    Publish the checked file in place of the one with that digest; return a note if it failed, else None.

    *restored* is the name of the earlier version, if it restores one.
    """
    if refusal := _refusal(result, content):
        return refusal
    try:
        info = publication.info(result.preview.rule_changes, restored=restored)
        session.publish(content, seen=base_digest, info=info)
    except Diverged:
        return diverged()
    except EditConflict:
        return changed()
    except NotWrittenHere as error:
        return not_written_here(error)
    except OSError as error:
        return unwritable(error)
    return None


def _refusal(result: CheckResult, content: bytes) -> Note | None:
    """Return a note if a checked file cannot be published as it is, else None."""
    found = result.preview
    if found.is_merged:
        return merged()
    if found.conflicts:
        return conflicting()
    if not found.is_usable:
        return unusable()
    return unconfirmed() if found.loses and not publication.is_confirmed(content) else None


def nothing() -> Note:
    """There is nothing to check."""
    return Note(_("Paste something or choose a file first."), 400)


def busy() -> Note:
    """Another check is running."""
    return Note(
        _("Another file is being checked. Try again in a few seconds; what you wrote is still here."),
        503,
    )


def too_long() -> Note:
    """The check exceeded its time limit."""
    return Note(
        _(
            "This file is too much: the check was given up after {timeout_seconds:.0f} seconds. Try again "
            "with fewer keywords, or when the machine is less busy."
        ).format(timeout_seconds=TIMEOUT_SECONDS),
        422,
        "bad",
    )


def too_large() -> Note:
    """The check exceeded its memory limit."""
    return Note(
        _("This file takes too much memory, so the check was given up. Try again with fewer or shorter keywords."),
        422,
        "bad",
    )


def edited() -> Note:
    """The text to publish is not the one that was checked."""
    return Note(
        _(
            "You changed it after the last check, so it was checked again and nothing was published. Look "
            "at the result, then publish."
        ),
        409,
    )


def changed() -> Note:
    """Somebody else has published in the meantime."""
    return Note(
        _("Nothing was published: somebody else has changed the rules file. Look below at what changed, then decide."),
        409,
        "bad",
    )


def diverged() -> Note:
    """This machine has not taken the latest publication."""
    return Note(
        _(
            "Nothing was published: other machines answer by a newer version, which this machine has not taken. Take "
            "that first; the rules of this machine are kept among its versions."
        ),
        409,
        "bad",
    )


def not_written_here(error: OSError) -> Note:
    """It is published, but this machine cannot write it."""
    return Note(
        _(
            "Published for the other machines, but the rules file of this one cannot be written ({reason}). Please "
            "tell whoever runs the bot."
        ).format(reason=write_failure(error)),
        500,
        "bad",
    )


def merged() -> Note:
    """Somebody else has published changes of other rules, which were merged."""
    return Note(
        _(
            "Nothing is published yet: somebody else has changed the rules file meanwhile. Below, your changes and "
            "theirs are together. Look at the result, then publish."
        ),
        409,
    )


def conflicting() -> Note:
    """Somebody else has published changes of the same rules."""
    return Note(
        _(
            "Nothing is published yet: somebody else has changed the same rules meanwhile. Choose below which version "
            "counts, then check."
        ),
        409,
        "bad",
    )


def unconfirmed() -> Note:
    """Customers would lose answers."""
    return Note(_("Nothing is published yet: customers lose answers. Tick that you want this, then publish."), 409)


def unusable() -> Note:
    """The text to publish has errors."""
    return Note(
        _("Nothing was published: this version has errors."),
        409,
        "bad",
    )


def draft_has_errors() -> Note:
    """The draft to try has errors."""
    return Note(_("The draft has errors, so it cannot answer yet. Once they are mended, the answers are here."), 422)


def stale_fix() -> Note:
    """The text is not the one that the fix is for."""
    return Note(_("Nothing was fixed: the text has changed since it was checked. Below is what is wrong now."), 409)


def gone() -> Note:
    """The version is no longer kept."""
    return Note(_("That version is not there; it may have been removed."), 409)


def unwritable(error: OSError) -> Note:
    """Return why the file could not be written."""
    return Note(
        _(
            "Nothing was published: the rules file cannot be written ({reason}). Please tell whoever runs the bot."
        ).format(reason=write_failure(error)),
        500,
        "bad",
    )


def write_failure(error: OSError) -> str:
    """Return the reason in words why a file beside the rules could not be written."""
    reasons = {
        errno.EROFS: _("its folder is mounted read-only"),
        errno.EACCES: _("the bot may not write in its folder"),
        errno.EPERM: _("the bot may not write in its folder"),
        errno.EBUSY: _("the file is mounted by itself; mount its folder instead"),
        errno.ENOSPC: _("the disk is full"),
        errno.EDQUOT: _("the disk is full"),
    }
    return reasons.get(error.errno or 0, error.strerror or type(error).__name__)


def published() -> str:
    """Return the text after a publication."""
    return _("Published: the new version is in the rules file.")


def restored(at: str) -> str:
    """Return the text after an earlier version was restored; *at* is its time in words."""
    return _("The version of {time} is in the rules file again.").format(time=at)
