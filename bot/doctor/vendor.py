"""Check the vendor: reachability, credentials and clock. Nothing is sent to anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from urllib3 import exceptions
from urllib3.exceptions import HTTPError

from bot.config import Settings
from bot.cpaas import CpaasClient, ProbeResult
from bot.doctor.finding import Finding, Texts, Words
from bot.errors import Misconfigured, NotNow
from bot.i18n import N_
from bot.logs import single_line

_SKEW: Final = 30.0
#: Credentials that neither the vendor nor the webhook may accept.
WRONG_CREDENTIALS: Final = "bot-doctor"
_ALL_HEADERS: Final = "API-KEY, accessToken, Authorization"
_KEY_ALONE: Final = "API-KEY"
_SPEAKS_OF_CREDENTIALS: Final = re.compile(r"access-?token|authorization|api-key", re.IGNORECASE)

TEXTS: Final[Texts] = {
    "clock": Words(N_("The clock agrees with the vendor's.")),
    "clock-wrong": Words(
        N_("The clock differs from the vendor's by {seconds} seconds."),
        N_("The hours of rules, cooldowns and the 48 hours for a reply are measured wrongly."),
        N_("Switch on time synchronisation (timedatectl set-ntp true)."),
    ),
    "clock-unknown": Words(N_("The clock could not be compared: no time came from the vendor.")),
    "vendor-no-key": Words(N_("Not tried: CPAAS_API_KEY is missing.")),
    "vendor-tls": Words(
        N_("{host}: no secure connection (TLS)."),
        N_("Keys are not sent over a connection that cannot be trusted."),
        N_("Look at CPAAS_BASE_URL, at this machine's date, and at its root certificates (package ca-certificates)."),
    ),
    "vendor-name": Words(
        N_("{host}: there is no server of that name."),
        N_("No picture can be sent without the vendor."),
        N_("See whether CPAAS_BASE_URL is spelt right, and whether this machine reaches the internet (DNS)."),
    ),
    "vendor-timeout": Words(
        N_("{host}: no answer in time."),
        N_("The bot tries again later, and customers wait."),
        N_("Try again in a few minutes; then look at the firewall, or ask the vendor."),
    ),
    "vendor-silent": Words(
        N_("{host}: no connection ({reason})."),
        N_("No picture can be sent without the vendor."),
        N_("Look at CPAAS_BASE_URL, and at this machine's firewall and proxy."),
    ),
    "vendor-reached": Words(N_("{host}: reached.")),
    "vendor-no-such-path": Words(
        N_("It answers HTTP {status}: pictures are not taken at this address."),
        N_("CPAAS_BASE_URL is probably that of another site."),
        N_("Set the address that the vendor gave you, as in https://cpaas.interits.com"),
    ),
    "vendor-refuses": Words(
        N_("It refuses your credentials: HTTP {status} {words}"),
        N_("No picture can be sent until they are right."),
        N_(
            "Copy CPAAS_API_KEY and CPAAS_ACCESS_TOKEN from the vendor's portal again. If your account "
            "uses API-KEY alone, set CPAAS_API_KEY_ONLY=true."
        ),
    ),
    "vendor-other-way": Words(
        N_("It refuses how you prove yourself (HTTP {status} {words}), and accepts the other way."),
        N_("Older accounts need API-KEY, accessToken and Authorization; on newer ones API-KEY stands alone."),
        N_("Set CPAAS_API_KEY_ONLY={key_only}"),
    ),
    "vendor-trouble": Words(
        N_("The vendor has trouble of its own: HTTP {status} {words}"),
        N_("Whether the credentials are right cannot be told now; events wait and are sent later."),
        N_("Run this again in a few minutes."),
    ),
    "vendor-odd": Words(
        N_(
            "It answers HTTP {status} to an empty request, which does not tell whether the credentials "
            "are right. No picture was sent."
        ),
        todo=N_("Write to the OA to try it, then look: bot inbox"),
    ),
    "vendor-knows-us": Words(
        N_(
            "Your credentials are accepted: an empty request with them is only refused for its content "
            "(HTTP {status}), and with wrong ones for these. It accepts: {ways}. Whether the OA may send, "
            "only a real message shows."
        )
    ),
    "vendor-does-not-tell": Words(
        N_("Your credentials are not refused (HTTP {status}), but neither are wrong ones: this proves nothing."),
        todo=N_("Write to the OA to try it, then look: bot inbox"),
    ),
}


def check_vendor(settings: Settings, *, now: float) -> Iterator[Finding]:
    """
    Yield the findings from an empty request with our credentials, and one with wrong credentials.

    If both are refused alike, nothing is proven; if only the wrong ones are refused, ours are valid. The other way to
    authenticate, with or without the token, is tried as well: accounts differ. *now* is compared with the vendor's
    clock.
    """
    if settings.cpaas_api_key is None:
        yield Finding("vendor", "unchecked", "vendor-no-key")
        yield Finding("clock", "unchecked", "clock-unknown")
        return
    vendor = CpaasClient(settings)
    host = urlsplit(settings.cpaas_base_url).hostname
    try:
        answer = vendor.probe()
        stranger = vendor.probe(credentials=WRONG_CREDENTIALS) if _refused_for_its_body(answer) else None
        second = other.probe() if (other := _otherwise(settings)) else None
    except HTTPError as error:
        yield Finding(
            "vendor", "problem", f"vendor-{failure_code(error)}", {"host": host, "reason": type(error).__name__}
        )
        yield Finding("clock", "unchecked", "clock-unknown")
        return
    yield Finding("vendor", "fine", "vendor-reached", {"host": host})
    yield judge_vendor(answer, stranger, second, key_only=settings.cpaas_api_key_only)
    yield check_clock(answer.date, now=now)


def _otherwise(settings: Settings) -> CpaasClient | None:
    """Return a client that authenticates the other way; None if its credentials are not set."""
    if settings.cpaas_access_token is None:
        return None
    return CpaasClient(settings.model_copy(update={"cpaas_api_key_only": not settings.cpaas_api_key_only}))


def judge_vendor(
    answer: ProbeResult, stranger: ProbeResult | None, second: ProbeResult | None, *, key_only: bool
) -> Finding:
    """
    Return the finding from the answer to our credentials and the one to wrong credentials.

    *second* is the answer to the other way to authenticate; *key_only*: ours is API-KEY alone.
    """
    args = {"status": answer.status, "words": single_line(answer.words)}
    other_way = second is not None and _refused_for_its_body(second)
    if answer.status in {404, 405} or 300 <= answer.status < 400:
        return Finding("vendor", "problem", "vendor-no-such-path", args)
    if _refused_for_its_credentials(answer):
        code = "vendor-other-way" if other_way else "vendor-refuses"
        return Finding("vendor", "problem", code, args | {"key_only": str(not key_only).lower()})
    if answer.failure is NotNow or answer.status >= 500:
        return Finding("vendor", "warning", "vendor-trouble", args)
    if not _refused_for_its_body(answer):
        return Finding("vendor", "unchecked", "vendor-odd", args)
    if stranger is not None and _refused_for_its_credentials(stranger):
        ways = (_KEY_ALONE, _ALL_HEADERS) if key_only else (_ALL_HEADERS, _KEY_ALONE)
        return Finding("vendor", "fine", "vendor-knows-us", args | {"ways": "; ".join(ways[: 1 + other_way])})
    return Finding("vendor", "unchecked", "vendor-does-not-tell", args)


def _refused_for_its_body(answer: ProbeResult) -> bool:
    if answer.failure is None or answer.failure in {Misconfigured, NotNow} or answer.status >= 500:
        return False
    return not _refused_for_its_credentials(answer)


def _refused_for_its_credentials(answer: ProbeResult) -> bool:
    """Return whether the credentials are refused; some vendors answer 400 to a header too many."""
    is_bad_request = answer.failure is not None and answer.status == 400
    return answer.failure is Misconfigured or (is_bad_request and bool(_SPEAKS_OF_CREDENTIALS.search(answer.words)))


def check_clock(date: str, *, now: float) -> Finding:
    """Return the finding about the difference between this machine's clock, *now*, and an HTTP Date header."""
    try:
        seconds = abs(parsedate_to_datetime(date).timestamp() - now)
    except ValueError:
        return Finding("clock", "unchecked", "clock-unknown")
    if seconds > _SKEW:
        return Finding("clock", "warning", "clock-wrong", {"seconds": round(seconds)})
    return Finding("clock", "fine", "clock")


def failure_code(error: object) -> str:
    """Return the code of the reason why there was no answer, from urllib3's exception."""
    if isinstance(error, exceptions.SSLError):
        return "tls"
    if isinstance(error, exceptions.NameResolutionError):
        return "name"
    # urllib3 calls it a kind of time-out.
    is_refused = isinstance(error, exceptions.NewConnectionError)
    return "timeout" if isinstance(error, exceptions.TimeoutError) and not is_refused else "silent"
