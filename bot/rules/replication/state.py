"""The state of a machine's rules file against the published one, and its line for operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

#: `current`: as published; `by-hand`: somebody changed the file on this machine; `refused`: this version of the program
#: cannot use what is published; `unwritable`: it cannot be written here; `off`: editors may not change the file here.
ReplicaStatus = Literal["current", "by-hand", "refused", "unwritable", "off"]

_REMARKS: Final[Mapping[ReplicaStatus, str]] = {
    "by-hand": "the file was changed by hand on this machine and is kept; it is not what was published at {time}",
    "refused": "what was published at {time} cannot be used by this version of the bot ({reason}); the file is kept",
    "unwritable": "what was published at {time} cannot be written on this machine ({reason})",
    "off": "what was published at {time} is not taken by this machine: CONSOLE_PUBLISH is off",
}


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """The state of the rules file of this machine."""

    status: ReplicaStatus = "current"
    reason: str = ""
    """Why it is refused or unwritable; nothing of its content."""
    missed: str = ""
    """The digest of the published rules that this machine has not taken; empty if it has taken them."""
    published_at: float = 0.0
    """When the latest rules were published; seconds since 1970."""

    def remark(self) -> str:
        """Return the line for ``/readyz``; empty if all is as published."""
        text = _REMARKS.get(self.status)
        if text is None:
            return ""
        time = datetime.fromtimestamp(self.published_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"rules: {text.format(time=time, reason=self.reason)}"
