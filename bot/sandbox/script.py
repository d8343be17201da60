"""Scripts of the sandbox vendor: answer, fail, delay, dribble, hang, or cut the connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class Script:
    """How one request is handled: whether the image is sent, and how the exchange ends."""

    takes: bool = True
    """Whether the image is sent to the user."""
    ending: Literal["answer", "hang", "cut"] = "answer"
    status: int = 200
    body: object = None
    """The body: sent as JSON, bytes as they are; None: the documented body for the status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before anything happens; the image is sent even if the caller has given up."""
    pace: float = 0.0
    """Seconds between two bytes of the answer; 0: written in one piece."""


OK = Script()


def answer(
    status: int, body: object = None, *, headers: Mapping[str, str] | None = None, takes: bool | None = None
) -> Script:
    """Answer with *status*; the image is sent with a 2xx, unless *takes* says otherwise."""
    goes_out = 200 <= status < 300 if takes is None else takes
    return Script(takes=goes_out, status=status, body=body, headers=headers or {})


def late(seconds: float, then: Script = OK) -> Script:
    """Run *then* after *seconds*."""
    return replace(then, delay=seconds)


def dribble(pace: float, then: Script = OK) -> Script:
    """Run *then*, but write its answer byte by byte, *pace* seconds apart."""
    return replace(then, pace=pace)


def hang(*, takes: bool = True) -> Script:
    """Do not answer until `SandboxVendor.release`; by default the image is sent."""
    return Script(takes=takes, ending="hang")


def cut(*, takes: bool = True) -> Script:
    """Close the connection without an answer; by default the image is sent."""
    return Script(takes=takes, ending="cut")


def bad_gateway(*, takes: bool) -> Script:
    """Answer 502, which does not tell whether the image was sent."""
    return answer(502, takes=takes)


def vendor_code(code: int, message: str) -> Script:
    """Refuse inside a 200 in the vendor's envelope: a number, and a text under `message`."""
    return answer(200, {"code": code, "data": {}, "message": message, "referentId": ""}, takes=False)


def etelecom_code(code: str, msg: str, *, status: int = 200) -> Script:
    """Refuse in the form of eTelecom, which the vendor wraps: a word, and a text under `msg`."""
    return answer(status, {"code": code, "msg": msg}, takes=False)
