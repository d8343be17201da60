"""What is stored of an event while it is delivered: its state, the claim on it, and a change of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Status = Literal["open", "sent", "ignored", "dead", "parked"]

#: A keyword that matched is stored up to here.
MAX_KEYWORD_CHARACTERS: Final = 255
_KEYWORD_SEPARATOR: Final = " + "


def join_keywords(keywords: Iterable[str]) -> str | None:
    """Return the keywords that matched as they are stored; None without one."""
    return _KEYWORD_SEPARATOR.join(keywords)[:MAX_KEYWORD_CHARACTERS] or None


@dataclass(frozen=True, slots=True)
class State:
    """What changes in an event's row while it is delivered."""

    status: Status = "open"
    reason: str | None = None
    due_at: float = 0.0
    attempts: int = 0
    rule_id: str | None = None
    rules_hash: str | None = None
    keyword: str | None = None
    """What of the rule matched; of `all_of` each one, joined. None where words had no part in it."""
    runner_up: str | None = None
    """The rule that would have answered without this one."""
    images: list[dict[str, str]] | None = None
    """
    What the decision sends; None: not decided.

    Each is ``{"image_url": …}``, ``{"attachment_id": …}`` or ``{"file": name, "digest": SHA-256 of its content}``, the
    latter two with ``"else"``, a link, where the rule gives one. A file whose upload Zalo no longer had has also
    ``"newer_than"``, a time: only a later upload will do.
    """
    progress: int = 0
    attempted_at: float | None = None
    """Set from before a call of the vendor until its outcome is stored."""
    resent: bool = False
    replied_at: float | None = None
    settled_at: float | None = None
    error: str | None = None
    vendor_ids: list[dict[str, str]] | None = None
    unfinished_calls: int = 0
    """Calls that began in a row and whose outcome nobody stored, this one among them: each time the process died."""


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
    """Seconds since 1970: by Zalo's clock where the event says it, else when it came in."""
    received_at: float
    oa_is_failing: bool
    """Whether the latest call for its OA failed."""
    state: State


@dataclass(frozen=True, slots=True)
class Lease:
    """One worker's hold of one event until it renews it."""

    id: int
    fence: int
    ends_at: float


@dataclass(frozen=True, slots=True)
class StateChange:
    """A new state for a claimed event."""

    claim: Claim
    state: State
    leased: bool = False
    """Whether the claim goes on: the state's `due_at` is the end of its lease and not a time that was chosen."""
    unless_human_since: float | None = None
    """Do not store it if a person has written to the user from OA Manager since then."""


SaveResult = Literal["saved", "lost", "human"]
