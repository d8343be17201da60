"""Whether the vendor answers and knows us, and what the world sees of the webhook; nothing is sent to anybody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

import requests
import urllib3

from bot.config import Settings
from bot.cpaas import CpaasClient, ProbeResult
from bot.doctor.finding import Finding, Level, Section
from bot.errors import Misconfigured, NotNow
from bot.redaction import one_line

_SKEW: Final = 30.0
_SLOW: Final = 1.0
# Of an event that nobody answers, should it be taken.
_UNSIGNED: Final = json.dumps({"event_name": "bot_doctor", "app_id": "0", "timestamp": "0"}).encode()
_STRANGER: Final = "bot-doctor"
_ALL_HEADERS: Final = "API-KEY, accessToken, Authorization"
_KEY_ALONE: Final = "API-KEY"
_SPEAKS_OF_CREDENTIALS: Final = re.compile(r"access-?token|authorization|api-key", re.IGNORECASE)


def check_vendor(settings: Settings, *, now: float) -> Iterator[Finding]:
    """
    Yield what the vendor makes of an empty request with our credentials, and with wrong ones beside it.

    That both are refused alike proves nothing; that only the wrong ones are refused shows that ours are known. The
    other way to prove oneself, with or without the token, is tried too: accounts differ. *now* is compared with the
    vendor's clock.
    """
    if settings.cpaas_api_key is None:
        yield Finding("vendor", "unchecked", "vendor-no-key")
        yield Finding("clock", "unchecked", "clock-unknown")
        return
    vendor = CpaasClient(settings)
    host = urlsplit(settings.cpaas_base_url).hostname
    try:
        answer = vendor.probe()
        stranger = vendor.probe(credentials=_STRANGER) if _refused_for_its_body(answer) else None
        second = other.probe() if (other := _otherwise(settings)) else None
    except requests.RequestException as error:
        yield Finding("vendor", "problem", f"vendor-{_why(error)}", {"host": host, "reason": type(error).__name__})
        yield Finding("clock", "unchecked", "clock-unknown")
        return
    yield Finding("vendor", "fine", "vendor-reached", {"host": host})
    yield judge_vendor(answer, stranger, second, key_only=settings.cpaas_api_key_only)
    yield check_clock(answer.date, now=now)


def _otherwise(settings: Settings) -> CpaasClient | None:
    """Return a client that proves itself the other way; None where its credentials are not set."""
    if settings.cpaas_access_token is None:
        return None
    return CpaasClient(settings.model_copy(update={"cpaas_api_key_only": not settings.cpaas_api_key_only}))


def judge_vendor(
    answer: ProbeResult, stranger: ProbeResult | None, second: ProbeResult | None, *, key_only: bool
) -> Finding:
    """
    Return what the answer to our credentials says, given the one to wrong ones.

    *second* is the answer to the other way to prove oneself, *key_only* whether ours is API-KEY alone.
    """
    args = {"status": answer.status, "words": one_line(answer.words)}
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
    """Return whether they are what is refused: also by a vendor who calls a header too many a bad request."""
    is_bad_request = answer.failure is not None and answer.status == 400
    return answer.failure is Misconfigured or (is_bad_request and bool(_SPEAKS_OF_CREDENTIALS.search(answer.words)))


def check_clock(date: str, *, now: float) -> Finding:
    """Return how far this machine's clock, *now*, is from an HTTP header Date."""
    try:
        seconds = abs(parsedate_to_datetime(date).timestamp() - now)
    except ValueError:
        return Finding("clock", "unchecked", "clock-unknown")
    if seconds > _SKEW:
        return Finding("clock", "warning", "clock-wrong", {"seconds": round(seconds)})
    return Finding("clock", "fine", "clock")


def check_webhook(settings: Settings, url: str) -> Iterator[Finding]:
    """Yield how the address that Zalo is given answers: as its console will see it, and as a forger will."""
    parts = _webhook(url)
    shown = _without_token(parts, settings)
    yield from _address(parts)
    try:
        yield from _answers(parts, shown, settings)
    except requests.RequestException as error:
        yield _webhook_finding("problem", f"webhook-{_why(error)}", url=shown, reason=type(error).__name__)


def _webhook(url: str) -> SplitResult:
    """Return the webhook's address; of a site alone it is the usual path."""
    parts = urlsplit(url)
    return parts._replace(path="/webhook") if parts.path in {"", "/"} else parts


def _without_token(parts: SplitResult, settings: Settings) -> str:
    token = settings.webhook_token.get_secret_value() if settings.webhook_token else ""
    url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
    return url.replace(token, "…") if token else url


def _address(parts: SplitResult) -> Iterator[Finding]:
    if parts.scheme != "https":
        yield _webhook_finding("problem", "webhook-no-https")
    if parts.port not in {None, 443} or (parts.hostname or "").replace(".", "").isdigit():
        yield _webhook_finding("problem", "webhook-no-domain")


def _answers(parts: SplitResult, shown: str, settings: Settings) -> Iterator[Finding]:
    url, timeout = urlunsplit(parts), settings.send_timeout
    with requests.Session() as session:
        greeting = session.get(url, timeout=timeout, allow_redirects=False)
        yield _expected("webhook-get", greeting, 200, url=shown)
        probe = session.post(url, data=b"{}", timeout=timeout, allow_redirects=False)
        yield _expected("webhook-probe", probe, 200, url=shown)
        if probe.elapsed.total_seconds() > _SLOW:
            yield _webhook_finding("warning", "webhook-slow", seconds=round(probe.elapsed.total_seconds(), 1))
        # With a token in it, the address itself is what a forger would have to know.
        forged = f"{url.rpartition('/')[0]}/{_STRANGER}" if settings.webhook_auth == "token" else url
        answer = session.post(forged, data=_UNSIGNED, timeout=timeout, allow_redirects=False)
        yield _expected("webhook-forged", answer, 401, url=shown)
        if settings.zalo_verifier:
            yield _verifier(session, parts, settings)


def _verifier(session: requests.Session, parts: SplitResult, settings: Settings) -> Finding:
    path = f"/zalo_verifier{settings.zalo_verifier}.html"
    page = session.get(urlunsplit(parts._replace(path=path)), timeout=settings.send_timeout, allow_redirects=False)
    is_ours = page.status_code == 200 and f'content="{settings.zalo_verifier}"' in page.text
    if is_ours:
        return _webhook_finding("fine", "webhook-verifier", path=path)
    return _webhook_finding("problem", "webhook-verifier/not", path=path, status=page.status_code)


def _expected(code: str, answer: requests.Response, status: int, **args: object) -> Finding:
    if answer.status_code == status:
        return _webhook_finding("fine", code, status=status, **args)
    return _webhook_finding("problem", f"{code}/not", status=answer.status_code, **args)


def _why(error: requests.RequestException) -> str:
    """Return in a word why there was no answer."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(error, requests.exceptions.SSLError):
        return "tls"
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return "name"
    return "timeout" if isinstance(error, requests.Timeout) else "silent"


def _webhook_finding(level: Level, code: str, **args: object) -> Finding:
    section: Section = "webhook"
    values: Mapping[str, object] = args
    return Finding(section, level, code, values)
