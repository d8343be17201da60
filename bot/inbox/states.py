"""An event in delivery: its stored state, the claim of a worker on it, and a change of its state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final, Literal

Status = Literal["open", "sent", "ignored", "dead", "parked"]

#: The longest stored keyword, in characters.
MAX_KEYWORD_CHARACTERS: Final = 255
_KEYWORD_SEPARATOR: Final = " + "


def join_keywords(keywords: Iterable[str]) -> str | None:
    """Return the matched keywords as one text to store; None if there are none."""
    return _KEYWORD_SEPARATOR.join(keywords)[:MAX_KEYWORD_CHARACTERS] or None


@dataclass(frozen=True, slots=True)
class State:
    """The columns of an event that change during delivery."""

    status: Status = "open"
    reason: str | None = None
    due_at: float = 0.0
    attempts: int = 0
    rule_id: str | None = None
    rules_hash: str | None = None
    keyword: str | None = None
    """The keyword that matched; for `all_of`, all of them, joined. None if no keyword was involved."""
    runner_up: str | None = None
    """The rule that would have been chosen without this one."""
    images: list[dict[str, str]] | None = None
    """
    The images to send; None: no decision yet.

    Each is ``{"image_url": …}``, ``{"attachment_id": …}`` or ``{"file": name, "digest": SHA-256 of its content}``; the
    latter two also have ``"else"``, a link, if the rule gives one. ``"newer_than"`` is added to a file whose upload
    Zalo no longer had: the upload must be later than that time.
    """
    progress: int = 0
    attempted_at: float | None = None
    """When a call of the vendor began whose outcome is not stored yet; else None."""
    resent: bool = False
    replied_at: float | None = None
    settled_at: float | None = None
    error: str | None = None
    vendor_ids: list[dict[str, str]] | None = None
    unfinished_calls: int = 0
    """Consecutive calls without a stored outcome, this one included: the process died during each."""


STATE_COLUMNS: Final = tuple(field.name for field in fields(State))


@dataclass(frozen=True, slots=True)
class Claim:
    """An event that one worker holds until its lease ends."""

    id: int
    fence: int
    key: str
    oa_id: str
    user_id: str
    kind: str
    text: str
    happened_at: float
    """Seconds since 1970: Zalo's timestamp if the event has one, else when it came in."""
    received_at: float
    oa_is_failing: bool
    """Whether the latest call for its OA failed."""
    state: State


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease on an event, as it was last renewed."""

    id: int
    fence: int
    ends_at: float


@dataclass(frozen=True, slots=True)
class StateChange:
    """A new state for a claimed event."""

    claim: Claim
    state: State
    leased: bool = False
    """Whether the claim goes on: then `due_at` of the state is the end of its lease; else, when it may be claimed."""
    unless_human_since: float | None = None
    """Do not store the change if a person has written to the user from OA Manager since this time."""


SaveResult = Literal["saved", "lost", "human"]
