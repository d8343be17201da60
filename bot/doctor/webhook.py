"""Check the webhook from outside, as Zalo's console and a forger would call it; nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

import requests

from bot.config import Settings
from bot.doctor.finding import Finding, Level, Texts, Words
from bot.doctor.vendor import WRONG_CREDENTIALS, failure_code
from bot.i18n import N_
from bot.net.bounded import cause_of

_SLOW: Final = 1.0
# An event that gets no answer, in case it is accepted.
_UNSIGNED: Final = json.dumps({"event_name": "bot_doctor", "app_id": "0", "timestamp": "0"}).encode()

TEXTS: Final[Texts] = {
    "webhook-not-given": Words(
        N_("The webhook URL was not looked at."),
        todo=N_("Run: bot doctor --url https://… with the URL that you gave to Zalo."),
    ),
    "webhook-no-https": Words(
        N_("The address is not https."), N_("Zalo takes https only."), N_("Get a certificate for the domain.")
    ),
    "webhook-no-domain": Words(
        N_("The address has a port or is a number."),
        N_("Zalo takes a domain name without a port."),
        N_("Put a web server (Caddy, nginx) in front, on port 443 of the domain."),
    ),
    "webhook-tls": Words(
        N_("{url}: the certificate is not valid."),
        N_("Zalo will not deliver here."),
        N_("Install one that has not expired, for this name, with its chain (Let's Encrypt will do)."),
    ),
    "webhook-name": Words(
        N_("{url}: the name leads nowhere."),
        N_("Zalo cannot find the bot."),
        N_("Look at the DNS record, or whether the tunnel's address has changed."),
    ),
    "webhook-timeout": Words(
        N_("{url}: no answer in time."),
        N_("Zalo waits two seconds."),
        N_("See whether the bot runs and the firewall is open."),
    ),
    "webhook-silent": Words(
        N_("{url}: no connection ({reason})."),
        N_("Zalo will not get through either."),
        N_("See whether the bot, and the web server in front of it, are running."),
    ),
    "webhook-get": Words(N_("{url}: it answers.")),
    "webhook-get/not": Words(
        N_("{url}: HTTP {status} in place of 200."),
        N_("The address may not lead to the bot."),
        N_("Look at the path (/webhook, or /webhook/<token> with WEBHOOK_AUTH=token) and at the web server in front."),
    ),
    "webhook-probe": Words(N_("The probe of Zalo's console ({{}}, unsigned) is accepted.")),
    "webhook-probe/not": Words(
        N_("The probe of Zalo's console ({{}}, unsigned) gets HTTP {status}."),
        N_("The console will not save this address."),
        N_("What stands in front must hand a POST on to the bot as it is, without redirect or log-in."),
    ),
    "webhook-slow": Words(
        N_("An answer took {seconds} seconds."),
        N_("After two, Zalo counts it as failed, and after many failures it switches the webhook off."),
        N_("See whether the machine or its line is overloaded."),
    ),
    "webhook-forged": Words(N_("A forged event is refused (HTTP {status}).")),
    "webhook-forged/not": Words(
        N_("A forged event gets HTTP {status} in place of 401."),
        N_("If it is 200, anybody can make the bot send; otherwise something else answers for the bot."),
        N_("Remove WEBHOOK_AUTH=off; see whether what stands in front hands requests on to the bot."),
    ),
    "webhook-verifier": Words(N_("The file for Zalo's domain check is at {path}.")),
    "webhook-verifier/not": Words(
        N_("The file for Zalo's domain check is not at {path} (HTTP {status})."),
        N_("Zalo cannot verify the domain."),
        N_("Restart the bot after setting ZALO_VERIFIER; what stands in front must hand on this path too."),
    ),
}


def check_webhook(settings: Settings, url: str) -> Iterator[Finding]:
    """Yield the findings from the webhook's answers to Zalo's console and to a forger."""
    parts = _webhook(url)
    safe_url = _without_token(parts, settings)
    yield from _address(parts)
    try:
        yield from _answers(parts, safe_url, settings)
    except requests.RequestException as error:
        code = failure_code(cause_of(error))
        yield _webhook_finding("problem", f"webhook-{code}", url=safe_url, reason=type(error).__name__)


def _webhook(url: str) -> SplitResult:
    """Return the webhook's address; for a site without a path, the usual path."""
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


def _answers(parts: SplitResult, safe_url: str, settings: Settings) -> Iterator[Finding]:
    url, timeout = urlunsplit(parts), settings.send_timeout
    with requests.Session() as session:
        greeting = session.get(url, timeout=timeout, allow_redirects=False)
        yield _expected("webhook-get", greeting, 200, url=safe_url)
        probe = session.post(url, data=b"{}", timeout=timeout, allow_redirects=False)
        yield _expected("webhook-probe", probe, 200, url=safe_url)
        if probe.elapsed.total_seconds() > _SLOW:
            yield _webhook_finding("warning", "webhook-slow", seconds=round(probe.elapsed.total_seconds(), 1))
        # With a token in it, the address itself is the secret.
        forged = f"{url.rpartition('/')[0]}/{WRONG_CREDENTIALS}" if settings.webhook_auth == "token" else url
        answer = session.post(forged, data=_UNSIGNED, timeout=timeout, allow_redirects=False)
        yield _expected("webhook-forged", answer, 401, url=safe_url)
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


def _webhook_finding(level: Level, code: str, **args: object) -> Finding:
    return Finding("webhook", level, code, args)
