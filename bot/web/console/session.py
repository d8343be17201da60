"""Who is logged in: a signed cookie that every process and machine with the same password can read."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Request, abort, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

PREFIX: Final = "/console"
LIFETIME: Final = timedelta(hours=12)
#: The name of the hidden field that every form has.
TOKEN_FIELD: Final = "csrf"  # noqa: S105  no secret

_SALT = b"zalo-picture-bot console 1"


def derive_key(password: str) -> bytes:
    """
    Return the key that signs the sessions: with the password it changes, and everybody is logged out.

    It takes some 50 ms and 16 MiB, so that whoever gets hold of a cookie cannot try passwords on it quickly. The same
    password typed on another keyboard, its marks composed or not, gives the same key.
    """
    typed = unicodedata.normalize("NFC", password).encode(errors="replace")
    return hashlib.scrypt(typed, salt=_SALT, n=2**14, r=8, p=1, dklen=32)


def install(app: Flask, key: bytes) -> None:
    """Let *app* have sessions, on the console's pages alone."""
    app.secret_key = key
    app.session_interface = _Sessions()
    app.config.update(
        SESSION_COOKIE_NAME="console",
        SESSION_COOKIE_PATH=PREFIX,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
    )


class _Sessions(SecureCookieSessionInterface):
    """Flask's own, but for what costs the webhook time and what TLS in front of us asks for."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        is_ours = request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
        return super().open_session(app, request) if is_ours else None

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  Flask's signature
        # Whoever forges the header only keeps the own browser from sending the cookie in the open.
        return request.is_secure or request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https"


def is_logged_in(now: float) -> bool:
    """Return whether the browser logged in less than `LIFETIME` before *now*, in seconds since 1970."""
    since = session.get("since")
    return isinstance(since, float) and now - since < LIFETIME.total_seconds()


def log_in(now: float) -> None:
    """Begin a new session; of the one before, only the language and the page that was asked for are kept."""
    kept = {name: session[name] for name in ("lang", "next") if name in session}
    session.clear()
    session.update(kept, since=now)
    session.permanent = True


def log_out() -> None:
    """End the session; the language stays."""
    kept = {name: session[name] for name in ("lang",) if name in session}
    session.clear()
    session.update(kept)


def token() -> str:
    """Return what a form must send along to prove that it is one of ours."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    held: str = session["csrf"]
    return held


def refuse_forgery() -> None:
    """End the request with 400 if another site's page sent it, or a form that is not of this session."""
    given = request.form.get(TOKEN_FIELD, "")
    if _comes_from_elsewhere() or not hmac.compare_digest(given.encode(), session.get("csrf", "").encode() or b"-"):
        abort(400)


def _comes_from_elsewhere() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.host
