"""Authentication of the console: password, signed session cookie, login throttle, cross-origin check."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import threading
import unicodedata
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from flask import (
    Blueprint,
    Flask,
    Request,
    Response,
    abort,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from werkzeug.wrappers import Response as AnyResponse

from bot.inbox.editing.console_sessions import ConsoleSessions
from bot.runtime import Runtime
from bot.web.client_address import Networks, client_address, client_network
from bot.web.console import formatting

log = logging.getLogger(__name__)

PREFIX: Final = "/console"
COOKIE_NAME: Final = "console"
SESSION_LIFETIME: Final = timedelta(hours=12)
#: How long a browser is remembered as one that was logged in here.
COOKIE_LIFETIME: Final = timedelta(days=30)
#: The largest form before log-in, in bytes: a password of 500 letters, each as %XX%XX%XX.
MAX_LOGIN_BYTES: Final = 8 * 1024
#: The limits of wrong passwords in `THROTTLE_SECONDS`, for one address and for all together.
MAX_PER_ADDRESS: Final = 5
MAX_IN_ALL: Final = 50
THROTTLE_SECONDS: Final = 300.0

_SALT = b"zalo-picture-bot console 1"


def derive_key(password: str) -> bytes:
    """
    Derive a key from the password, which is part of every signature: a new password logs everybody out.

    The password is normalized to NFC, so that different keyboards give the same key. It takes some 50 ms and 16 MiB.
    """
    typed = unicodedata.normalize("NFC", password).encode(errors="replace")
    return hashlib.scrypt(typed, salt=_SALT, n=2**14, r=8, p=1, dklen=32)


class Authenticator:
    """
    Password, session cookies and login throttle of one process; safe for threads.

    A cookie is signed with the password and random bytes from the database, so that no cookie helps to guess the
    password; it is valid only while its session is open in the database. No cookie is set before the log-in.
    """

    def __init__(self, runtime: Runtime, derive_key: Callable[[str], bytes] = derive_key) -> None:
        self._runtime = runtime
        self._derive_key = derive_key
        self._password_key = derive_key(runtime.settings.console_password.get_secret_value())
        self._throttle = LoginThrottle()
        # A derivation takes 16 MiB: one in every thread at once would take half a gigabyte.
        self._one_derivation = threading.Lock()
        self._signing_key: bytes | None = None

    @property
    def _sessions(self) -> ConsoleSessions:
        return ConsoleSessions(self._runtime.database)

    def is_ready(self) -> bool:
        """Return whether cookies can be read."""
        return self._signing_key is not None or not self._runtime.readiness()[0]

    def signing_key(self) -> bytes:
        """Return the key that signs the cookies; raises StorageError if the database cannot be reached."""
        if self._signing_key is None:
            self._signing_key = hmac.digest(self._password_key, self._sessions.signing_key(), "sha256")
        return self._signing_key

    def is_logged_in(self, now: float) -> bool:
        """Return whether the browser has logged in within `SESSION_LIFETIME` before *now* and not logged out."""
        return self._has_session(now, SESSION_LIFETIME)

    def was_logged_in(self, now: float) -> bool:
        """Return whether the browser's session has ended only by its age, not by a log-out."""
        return self._has_session(now, COOKIE_LIFETIME)

    def _has_session(self, now: float, lifetime: timedelta) -> bool:
        session_id = session.get("id")
        began_at = self._sessions.began_at(session_id) if isinstance(session_id, str) else None
        return began_at is not None and now - began_at < lifetime.total_seconds()

    def log_in(self, password: str, address: str, *, now: float) -> float | None:
        """
        Begin a session if the password is right; return the seconds that *address* must wait, None if it is wrong.

        For a browser with the cookie of an earlier log-in only its own attempts count.
        """
        known = session.get("id")
        client, is_known = (known, True) if isinstance(known, str) else (client_network(address), False)
        wait = self._throttle.check(client, now=now, is_known=is_known)
        if wait:
            return wait
        with self._one_derivation:
            given = self._derive_key(password)
        if not hmac.compare_digest(given, self._password_key):
            log.warning("a wrong password for the console", extra={"address": address})
            return None
        self._throttle.reset(client)
        session.clear()
        session["id"] = self._sessions.begin(now=now, keep=COOKIE_LIFETIME.total_seconds())
        session["lang"] = formatting.language()
        session.permanent = True
        return 0.0

    def log_out(self, *, everywhere: bool) -> None:
        """End this session, or all of them; copies of the cookie become invalid."""
        if everywhere:
            self._sessions.end_all()
        elif isinstance(session.get("id"), str):
            self._sessions.end(session["id"])
        session.clear()


class _ConsoleSessions(SecureCookieSessionInterface):
    """Flask's sessions, but only for the console, and with Secure cookies behind a TLS proxy."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        is_ours = request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
        if not is_ours or request.path.startswith(f"{PREFIX}/static/"):
            return None
        # Without a cookie no key is needed, so that the log-in and the page about a failed start can be shown.
        has_session = COOKIE_NAME in request.cookies and self._authenticator.is_ready()
        return super().open_session(app, request) if has_session else SecureCookieSession()

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        app.secret_key = self._authenticator.signing_key()
        return super().get_signing_serializer(app)

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  Flask's signature
        # A forged header only makes the client's own cookie Secure.
        schemes = request.headers.get("X-Forwarded-Proto", "").lower().split(",")
        return request.is_secure or all(scheme.strip() == "https" for scheme in schemes)


def enable_sessions(app: Flask, authenticator: Authenticator) -> None:
    """Enable sessions in *app*, for the console's pages only."""
    app.session_interface = _ConsoleSessions(authenticator)
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE_NAME,
        SESSION_COOKIE_PATH=PREFIX,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=COOKIE_LIFETIME,
    )


def refuse_cross_origin() -> None:
    """
    Abort with 400 unless the request's headers show that one of our own pages sent it (CSRF protection).

    Browsers since 2023 send Sec-Fetch-Site; older ones send Origin with every POST. Without either it is refused.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = origin is not None and origin.partition("://")[2] == request.host
    if not is_ours:
        abort(400)


class LoginThrottle:
    """
    Limits wrong passwords per address and in all, in this process only; safe for threads.

    With N processes an attacker gets at most N times `MAX_IN_ALL`: a few hundred guesses an hour at a password of ten
    characters.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: deque[tuple[float, str]] = deque()

    def check(self, client: str, *, now: float, is_known: bool = False) -> float:
        """
        Return the seconds that *client* must wait; 0 allows a try, which counts as wrong until `reset`.

        *client* is an address or, with *is_known*, a browser, for which the attempts of others do not count.
        """
        with self._lock:
            while self._wrong and self._wrong[0][0] <= now - THROTTLE_SECONDS:
                self._wrong.popleft()
            everyone = [] if is_known else [at for at, _ in self._wrong]
            theirs = [at for at, other in self._wrong if other == client]
            for attempts, most in ((theirs, MAX_PER_ADDRESS), (everyone, MAX_IN_ALL)):
                if len(attempts) >= most:
                    return attempts[0] + THROTTLE_SECONDS - now
            self._wrong.append((now, client))
            return 0.0

    def reset(self, client: str) -> None:
        """Forget the attempts of *client*, after the right password."""
        with self._lock:
            self._wrong = deque((at, other) for at, other in self._wrong if other != client)


def add_routes(
    routes: Blueprint, authenticator: Authenticator, clock: Callable[[], float], *, trusted_proxies: Networks
) -> None:
    """
    Add the log-in page, and the buttons that end this session or all of them.

    ``?next=`` is the requested page. *trusted_proxies* are proxies whose ``X-Forwarded-For`` has the client's address.
    """

    @routes.get("/login")
    def login() -> AnyResponse | str:
        return _to_requested_page() if g.logged_in else render_template("console/login.html")

    @routes.post("/login", endpoint="log_in")
    def log_in() -> AnyResponse:
        address = client_address(request, trusted_proxies)
        wait = authenticator.log_in(request.form.get("password", ""), address, now=clock())
        return _to_requested_page() if wait == 0 else _refused(wait)

    @routes.post("/logout", endpoint="log_out")
    def log_out() -> AnyResponse:
        authenticator.log_out(everywhere="everywhere" in request.form)
        return redirect(url_for("console.login", lang=formatting.language()), 303)


def to_login(*, resume: bool) -> AnyResponse:
    """Return a redirect to the log-in; with *resume* it returns to the requested page."""
    path = request.full_path.rstrip("?") if resume and request.method == "GET" else ""
    return redirect(url_for("console.login", next=path or None), 303)


def _to_requested_page() -> AnyResponse:
    """Redirect to the page requested before the log-in, if it is one of ours (no open redirect)."""
    path = request.args.get("next", "")
    is_ours = path.startswith(f"{PREFIX}/") and path.isprintable() and "\\" not in path
    return redirect(path if is_ours else url_for("console.home"), 303)


def _refused(wait: float | None) -> Response:
    minutes = math.ceil(wait / 60) if wait else 0
    page = render_template("console/login.html", wait=minutes, wrong=not wait)
    response = make_response(page, 429 if wait else 403)
    if wait:
        response.headers["Retry-After"] = str(math.ceil(wait))
    return response
