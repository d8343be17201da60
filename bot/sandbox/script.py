"""How the sandbox vendor can be told to treat a request that is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What becomes of one request: does the picture go out, and how does the exchange end."""

    takes: bool = True
    """The picture goes out to the user."""
    ending: Literal["answer", "hang", "cut"] = "answer"
    status: int = 200
    body: object = None
    """Sent as JSON, bytes as they are; None: what the documentation shows for the status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before anything happens; the picture goes out even if the caller gave up meanwhile."""
    pace: float = 0.0
    """Seconds between two bytes of the answer; 0: it is written at once."""


OK = Behaviour()


def answer(
    status: int, body: object = None, *, headers: Mapping[str, str] | None = None, takes: bool | None = None
) -> Behaviour:
    """Answer with *status*; the picture goes out with a 2xx, unless *takes* says otherwise."""
    goes_out = 200 <= status < 300 if takes is None else takes
    return Behaviour(takes=goes_out, status=status, body=body, headers=headers or {})


def late(seconds: float, then: Behaviour = OK) -> Behaviour:
    """Do *then* after *seconds*."""
    return replace(then, delay=seconds)


def dribble(pace: float, then: Behaviour = OK) -> Behaviour:
    """Do *then*, but write its answer byte by byte, *pace* seconds apart."""
    return replace(then, pace=pace)


def hang(*, takes: bool = True) -> Behaviour:
    """Never answer, until the vendor is told to release; by default the picture goes out all the same."""
    return Behaviour(takes=takes, ending="hang")


def cut(*, takes: bool = True) -> Behaviour:
    """Close the connection without an answer; by default the picture goes out all the same."""
    return Behaviour(takes=takes, ending="cut")


def bad_gateway(*, takes: bool) -> Behaviour:
    """Answer 502, which does not tell whether the picture went out."""
    return answer(502, takes=takes)


def vendor_code(code: int, message: str) -> Behaviour:
    """Refuse inside a 200, in the vendor's envelope: a number, and words under `message`."""
    return answer(200, {"code": code, "data": {}, "message": message, "referentId": ""}, takes=False)


def etelecom_code(code: str, msg: str, *, status: int = 200) -> Behaviour:
    """Refuse in the shape of eTelecom, which the vendor wraps: a word, and words under `msg`."""
    return answer(status, {"code": code, "msg": msg}, takes=False)
