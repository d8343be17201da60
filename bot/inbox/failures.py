"""Explain delivery failures: what an error of the vendor or of Zalo means, what it concerns, and who must act."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from bot.i18n import N_, Language, translator

#: What a failure concerns: one customer, the image of a rule, the OA's account, or the vendor's and Zalo's servers.
Subject = Literal["customer", "image", "account", "vendor", "bot"]
#: Who must act: nobody, the editor of the rules, the operator of the bot, or the owner of the OA.
Actor = Literal["nobody", "editor", "operator", "owner"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A failure in the reader's language."""

    subject: Subject
    actor: Actor
    what: str
    """What has happened, without a full stop."""
    todo: str
    """What to do about it; it follows `what` after a colon."""

    def __str__(self) -> str:
        return f"{self.what}: {self.todo}"


@dataclass(frozen=True, slots=True)
class _Cause:
    subject: Subject
    actor: Actor
    what: str
    todo: str


_NOTHING: Final = N_("nothing to do")
_RETRIED: Final = N_("nothing to do, the bot tries again by itself")
_OPERATOR: Final = N_("tell the operator")
_REPLACE: Final = N_("replace the image")

_NO_INTERACTION = _Cause("customer", "nobody", N_("The customer has not written to the OA for 7 days"), _NOTHING)
_BLOCKED = _Cause("customer", "nobody", N_("The customer has blocked messages from the OA"), _NOTHING)
_INACTIVE = _Cause(
    "customer", "nobody", N_("The customer's Zalo account is locked, or unused for over 45 days"), _NOTHING
)
_KEY_REFUSED = _Cause("account", "operator", N_("The connection key is refused"), _OPERATOR)
_TOKEN_EXPIRED = _Cause(
    "account",
    "operator",
    N_("Zalo no longer accepts the connection to this OA"),
    N_("tell the operator: the OA must be connected anew at the vendor"),
)
_APP_NOT_READY = _Cause("account", "operator", N_("Zalo has not activated the app or its sending"), _OPERATOR)
_OA_GONE = _Cause(
    "account", "owner", N_("The OA does not exist or was deleted"), N_("the OA's owner must look at it in OA Manager")
)
_OA_NOT_ALLOWED = _Cause(
    "account",
    "owner",
    N_("The OA may not send messages this way yet"),
    N_("the OA's owner must verify it and choose a package that may send in OA Manager"),
)
_NOT_PAID = _Cause(
    "account",
    "owner",
    N_("The OA has no paid account for messages, or no money left in it"),
    N_("the OA's owner must link or top up Zalo Cloud Account"),
)
_BUSY = _Cause("vendor", "nobody", N_("The vendor is busy or has a fault"), _RETRIED)
_RATE = _Cause("vendor", "nobody", N_("Too many calls at once for Zalo's limit"), _RETRIED)
_UNKNOWN = _Cause(
    "vendor",
    "nobody",
    N_("The vendor gave no clear answer, so the image may have been sent"),
    N_("nothing to do, the bot waits for Zalo's confirmation"),
)
_ADDRESS = _Cause(
    "account",
    "operator",
    N_("There is no vendor at this address"),
    N_("tell the operator: see CPAAS_BASE_URL"),
)
_REQUEST = _Cause(
    "image",
    "editor",
    N_("The vendor does not accept this image or this message"),
    N_("open the image's link; if it is fine, tell the operator"),
)
_TOO_LARGE = _Cause("image", "editor", N_("The image is larger than 1 MB"), _REPLACE)
_EXPIRED = _Cause(
    "image", "editor", N_("The uploaded image has expired, Zalo keeps it for 7 days"), N_("upload it again")
)

#: By error code: Zalo's (the error table of its OA API) and eTelecom's (Twirp's code names).
_BY_CODE: Final[dict[str, _Cause]] = {
    "-32": _RATE,
    "-100": _EXPIRED,
    **dict.fromkeys(("-118", "-124", "-216", "-220", "-401", "-14014"), _TOKEN_EXPIRED),
    "-200": _BUSY,
    "-201": _Cause(
        "image",
        "editor",
        N_("Zalo does not accept a part of the message, most often the image's link"),
        N_("open the link; replace the image if it does not open"),
    ),
    **dict.fromkeys(("-202", "-242"), _KEY_REFUSED),
    **dict.fromkeys(("-204", "-205"), _OA_GONE),
    **dict.fromkeys(("-209", "-212", "-219"), _APP_NOT_READY),
    "-210": _TOO_LARGE,
    "-211": _Cause(
        "account",
        "owner",
        N_("The OA's messages are used up"),
        N_("the OA's owner must buy more, or wait for the next period"),
    ),
    "-213": _Cause("customer", "nobody", N_("The customer does not follow the OA"), _NOTHING),
    **dict.fromkeys(("-217", "-244"), _BLOCKED),
    "-218": _Cause(
        "customer", "nobody", N_("The customer has received as many messages as Zalo allows for now"), _NOTHING
    ),
    **dict.fromkeys(("-221", "-223", "-224"), _OA_NOT_ALLOWED),
    **dict.fromkeys(("-222", "-227"), _INACTIVE),
    **dict.fromkeys(("-230", "-232"), _NO_INTERACTION),
    "-233": _Cause("account", "operator", N_("Zalo does not allow this kind of message"), _OPERATOR),
    "-234": _Cause(
        "vendor",
        "nobody",
        N_("Zalo does not deliver at night, from 22:00 to 6:00"),
        N_("nothing to do, the bot sends later"),
    ),
    "-240": _Cause("account", "operator", N_("Zalo has shut this version of its way to send"), _OPERATOR),
    "-248": _Cause("image", "editor", N_("Zalo finds that the image breaks its rules"), _REPLACE),
    "-305": _Cause("customer", "nobody", N_("More than 48 hours have passed since the customer wrote"), _NOTHING),
    "-311": _Cause("customer", "nobody", N_("The free replies to this customer are used up"), _NOTHING),
    **dict.fromkeys(("-320", "-321"), _NOT_PAID),
    **dict.fromkeys(("unauthenticated", "permission_denied"), _KEY_REFUSED),
    "resource_exhausted": _RATE,
    **dict.fromkeys(("unavailable", "internal", "aborted"), _BUSY),
    **dict.fromkeys(("deadline_exceeded", "canceled"), _UNKNOWN),
    **dict.fromkeys(("bad_route", "unimplemented"), _ADDRESS),
    **dict.fromkeys(("invalid_argument", "malformed", "not_found", "failed_precondition", "out_of_range"), _REQUEST),
}

#: By HTTP status, if there is no such code.
_BY_STATUS: Final[dict[str, _Cause]] = {
    "400": _REQUEST,
    **dict.fromkeys(("401", "403"), _KEY_REFUSED),
    **dict.fromkeys(("404", "405", "301", "302", "303", "307", "308", "407"), _ADDRESS),
    "429": _RATE,
    **dict.fromkeys(("408", "500", "503"), _BUSY),
    **dict.fromkeys(("502", "504"), _UNKNOWN),
}

#: By the first or later words of the bot's own error texts (bot.cpaas, bot.delivery).
_BY_WORDS: Final[tuple[tuple[str, _Cause], ...]] = (
    ("no connection", _Cause("vendor", "nobody", N_("The vendor cannot be reached"), _RETRIED)),
    ("no answer", _UNKNOWN),
    ("fault:", _Cause("bot", "operator", N_("The bot itself has a fault"), N_("tell the operator: see its log"))),
    ("the database does not answer", _Cause("bot", "operator", N_("The bot's database does not answer"), _OPERATOR)),
    ("gave no token", _Cause("account", "operator", N_("The vendor does not take uploads"), _OPERATOR)),
    ("is being uploaded", _Cause("image", "nobody", N_("The image is being uploaded"), N_("nothing to do"))),
)
_OTHER_HTTP = _Cause("vendor", "operator", N_("The vendor refused, for a reason the bot does not know"), _OPERATOR)
# All other texts come from bot.images.local_files.
_UNUSABLE = _Cause("image", "editor", N_("The image file cannot be used"), _REPLACE)

_HTTP: Final = re.compile(r"\bHTTP (\d{3})\b:? ?(.*)", re.DOTALL)
_NAMED_CODE: Final = re.compile(r"""(?:^code |"(?:code|error|error_code)": ")(-?\w+)""")
_CODE_IN_WORDS: Final = re.compile(r"(?<![\w-])-\d{2,5}\b", re.ASCII)


def explain(error: str, lang: Language) -> Explanation:
    """Return what *error* means, the text that the inbox stores for a failed call or upload."""
    cause, _ = _cause(error), translator(lang).gettext
    return Explanation(cause.subject, cause.actor, _(cause.what), _(cause.todo))


def is_about_rule(error: str) -> bool:
    """Return whether the editor of the rule can fix it: its image is at fault, not the customer or the account."""
    return _cause(error).subject == "image"


def _cause(error: str) -> _Cause:
    answer = _HTTP.search(error)
    if answer is None:
        return next((cause for words, cause in _BY_WORDS if words in error), _UNUSABLE)
    status, words = answer[1], answer[2]
    if status in {"502", "504"}:  # a gateway's error does not tell what became of the call
        return _UNKNOWN
    if "no JSON object" in words:
        return _UNKNOWN
    codes = list(_codes(words))
    known = next((_BY_CODE[code] for code in codes if code in _BY_CODE), None)
    # The vendor also answers refusals with 200, and gives an HTTP status as its code.
    status = next(iter(codes), status) if status in {"200", "201"} else status
    return known or _BY_STATUS.get(status) or (_UNKNOWN if status.startswith("5") else _OTHER_HTTP)


def _codes(words: str) -> Iterator[str]:
    yield from _NAMED_CODE.findall(words)
    yield from _CODE_IN_WORDS.findall(words)
