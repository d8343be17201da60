"""Check that the settings are set and plausible."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.config import Settings, is_loopback
from bot.doctor.finding import Finding, Level, Texts, Words
from bot.i18n import N_

_SECRETS: Final = (
    "cpaas_api_key",
    "cpaas_access_token",
    "cpaas_bearer_token",
    "zalo_oa_secret_key",
    "webhook_token",
    "console_password",
)
_QUOTES: Final = "\"'“”‘’`"
_SHORTEST_TOKEN: Final = 16

TEXTS: Final[Texts] = {
    "missing": Words(
        N_("{name}: missing."),
        N_("The bot does not start without it."),
        N_("Add a line {name}=… to the file .env (or set the environment variable)."),
    ),
    "missing-oa-secret": Words(
        N_("{name}: missing."),
        N_("With it the bot knows whether an event really comes from Zalo."),
        N_(
            "On developers.zalo.me choose the app, open its Webhook page and copy the OA Secret Key (not "
            "the App Secret Key). It only appears once a webhook URL has been saved."
        ),
    ),
    "wrong": Words(
        N_("{name}: not usable ({what})."),
        N_("The bot does not start with a wrong setting."),
        N_("Mend {name} in the file .env or in the environment."),
    ),
    "set": Words(N_("{name}: set, {length} characters.")),
    "not-set": Words(N_("{name}: not set (it need not be).")),
    "app-id": Words(N_("ZALO_APP_ID: {value}.")),
    "quotes": Words(
        N_("{name}: begins or ends with a quotation mark."),
        N_("Docker's --env-file passes quotation marks on as part of the key, and the key is wrong then."),
        N_("Remove the quotation marks."),
    ),
    "prefix": Words(N_('{name}: begins with "Bearer".'), N_("The bot adds that word itself."), N_("Remove it.")),
    "space": Words(
        N_("{name}: has a space in it."), N_("No key has one; too much was probably copied."), N_("Copy the key again.")
    ),
    "same": Words(
        N_("{name} is the same as {other}."),
        N_("They never are: one of them was pasted into the wrong place."),
        N_("Copy both again; the OA Secret Key is on the Webhook page of the Zalo app."),
    ),
    "vendor-http": Words(
        N_("CPAAS_BASE_URL is http, not https."),
        N_("Your keys can be read on their way."),
        N_("Change it to https://…"),
    ),
    "vendor-path": Words(
        N_("CPAAS_BASE_URL contains the path /vendor/…."),
        N_("The bot appends /api/vendor/v1/zalo/… itself, so the address would be wrong."),
        N_("Give the beginning only, as in https://cpaas.interits.com"),
    ),
    "auth-off": Words(
        N_("WEBHOOK_AUTH=off: events are not authenticated."),
        N_("This is for trying things out on your own machine."),
        N_("Remove the line in production; Zalo's signature is checked then."),
    ),
    "short-token": Words(
        N_("WEBHOOK_TOKEN has fewer than {shortest} characters."),
        N_("Whoever guesses it can send false events."),
        N_("Choose a longer random one, and change the webhook URL with it."),
    ),
    "env-readable": Words(
        N_("{file}: other users of this machine can read it."), N_("It holds keys."), N_("Run: chmod 600 {file}")
    ),
}


def check_settings(settings: Settings, faults: Mapping[str, str], env_file: Path) -> Iterator[Finding]:
    """Yield a finding for each fault, for each secret that is set, and for each likely mistake."""
    yield from (_finding("problem", _fault_code(name, what), name=name, what=what) for name, what in faults.items())
    given = {name: _plain(getattr(settings, name)) for name in _SECRETS}
    for name, secret in given.items():
        if secret:
            yield _check_secret(name.upper(), secret)
        elif name in _optional(settings):
            yield _finding("fine", "not-set", name=name.upper())
    if settings.zalo_app_id:
        yield _finding("fine", "app-id", value=settings.zalo_app_id)
    yield from _check_secret_is_unique(given, settings.zalo_app_id)
    yield from _check_url(settings.cpaas_base_url)
    yield from _authentication(settings, given["webhook_token"])
    yield from _file(env_file)


def _optional(settings: Settings) -> set[str]:
    """Return the secrets that are optional, given the other settings."""
    return {"console_password"} | (set() if settings.cpaas_api_key_only else {"cpaas_bearer_token"})


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


def _fault_code(name: str, what: str) -> str:
    if what != "is missing":
        return "wrong"
    return "missing-oa-secret" if name == "ZALO_OA_SECRET_KEY" else "missing"


def _check_secret(name: str, secret: str) -> Finding:
    """Return whether a secret looks plausible; only its issuer can know whether it is right."""
    if secret[0] in _QUOTES or secret[-1] in _QUOTES:
        return _finding("problem", "quotes", name=name)
    if " " in secret:
        code = "prefix" if secret.lower().startswith("bearer ") else "space"
        return _finding("problem", code, name=name)
    return _finding("fine", "set", name=name, length=len(secret))


def _check_secret_is_unique(given: Mapping[str, str], app_id: str | None) -> Iterator[Finding]:
    """Yield a finding if the OA Secret Key is the value of another setting, pasted twice."""
    others = {"ZALO_APP_ID": app_id} | {n.upper(): given[n] for n in ("cpaas_api_key", "cpaas_access_token")}
    for name, value in others.items():
        if value and value == given["zalo_oa_secret_key"]:
            yield _finding("problem", "same", name="ZALO_OA_SECRET_KEY", other=name)


def _check_url(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        yield _finding("warning", "vendor-http")
    if "/vendor/" in f"{parts.path}/":
        yield _finding("problem", "vendor-path")


def _authentication(settings: Settings, token: str) -> Iterator[Finding]:
    if settings.webhook_auth == "off":
        yield _finding("warning", "auth-off")
    if settings.webhook_auth == "token" and 0 < len(token) < _SHORTEST_TOKEN:
        yield _finding("warning", "short-token", shortest=_SHORTEST_TOKEN)


def _file(env_file: Path) -> Iterator[Finding]:
    if env_file.exists() and env_file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield _finding("warning", "env-readable", file=env_file)


def _finding(level: Level, code: str, **args: object) -> Finding:
    return Finding("settings", level, code, args)
