"""Fake vendor for the demo and tests: an HTTP server that checks requests as documented and fails on request."""

from __future__ import annotations

import itertools
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self, TypeVar

from bot.sandbox import send_image, upload_file
from bot.sandbox.http_server import Answerer, HttpServer, Request
from bot.sandbox.script import OK, Script, vendor_code
from bot.sandbox.send_image import Account, ImageMessage, RequestFault
from bot.sandbox.upload_file import Upload

_JSON = {"Content-Type": "application/json; charset=utf-8"}

# Not a valid user id.
_UPLOADS = "uploads"
#: The default time limit of waits, in seconds; on an idle machine they take a moment.
PATIENCE: Final = 120.0

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Received:
    """A request that arrived, valid or not."""

    number: int
    """1 for the first request of this vendor."""
    at: float
    """When it was read completely, in seconds since 1970."""
    request: Request
    message: ImageMessage | None
    fault: str
    """Why it was refused; "" for a valid request."""
    upload: Upload | None = None

    def __str__(self) -> str:
        wanted = f"{self.message.image} to {self.message.user_id}" if self.message else f"{self.fault}"
        wanted = f"upload of {self.upload.name}" if self.upload else wanted
        return f"#{self.number} {self.request.method} {self.request.path}: {wanted}"


@dataclass(frozen=True, slots=True)
class VendorCall:
    """The outcome of a valid request."""

    received: Received
    at: float
    """When it was handled, in seconds since 1970."""
    status: int | None
    """None if there was no answer."""
    msg_id: str
    """Id of the image that was sent, as in the answer's `data.msg_id`; "" if none was."""


@dataclass(frozen=True, slots=True)
class SentImage:
    """An image that was sent to a user."""

    message: ImageMessage
    msg_id: str
    at: float
    """When it was sent, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class UploadedImage:
    """An uploaded image, and its token for sending."""

    upload: Upload
    token: str
    at: float
    """When it was uploaded, in seconds since 1970."""


class SandboxVendor:
    """
    The vendor on a free port of this machine; the constructor starts it.

    An invalid request is refused as documented. A valid one is handled by the script that `next` or `always` set for
    its user, else by the one they set for everybody; without any, the image is sent. Uploads are handled by the scripts
    of `next_upload` and `always_upload`.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._changed = threading.Condition()
        self._received: list[Received] = []
        self._handled: list[VendorCall] = []
        self._taken: list[SentImage] = []
        self._uploaded: dict[str, UploadedImage] = {}
        self._expired: set[str] = set()
        self._next: dict[str | None, deque[Script]] = {}
        self._always: dict[str | None, Script] = {}
        self._hanging: list[Callable[[], None]] = []
        self._listeners: list[Callable[[VendorCall], None]] = []
        self._numbers = itertools.count(1)
        self._server = HttpServer(self._receive)
        self.url = self._server.url

    @property
    def received(self) -> list[Received]:
        """All requests, in order of arrival."""
        with self._changed:
            return list(self._received)

    @property
    def handled(self) -> list[VendorCall]:
        """The outcomes of valid requests, in the order of handling."""
        with self._changed:
            return list(self._handled)

    @property
    def taken(self) -> list[SentImage]:
        """The images that were sent, in order."""
        with self._changed:
            return list(self._taken)

    @property
    def uploaded(self) -> list[UploadedImage]:
        """The uploaded images, in order, expired ones included."""
        with self._changed:
            return list(self._uploaded.values())

    def upload_of(self, token: str) -> Upload | None:
        """Return the upload of a token, even if it has expired."""
        with self._changed:
            uploaded = self._uploaded.get(token)
        return uploaded.upload if uploaded else None

    def expire_uploads(self) -> None:
        """Expire all uploads so far, as Zalo does after 7 days."""
        with self._changed:
            self._expired |= self._uploaded.keys()

    def next_upload(self, *scripts: Script) -> None:
        """Use these scripts for the next valid uploads, one each."""
        self.next(*scripts, user_id=_UPLOADS)

    def always_upload(self, script: Script) -> None:
        """Use this script for every valid upload from now on; `OK` ends it."""
        self.always(script, user_id=_UPLOADS)

    def next(self, *scripts: Script, user_id: str | None = None) -> None:
        """Use these scripts for the next valid requests (of *user_id*), one each."""
        with self._changed:
            self._next.setdefault(user_id, deque()).extend(scripts)

    def forget(self, *, user_id: str | None = None) -> None:
        """Drop the unused scripts of `next`."""
        with self._changed:
            self._next.pop(user_id, None)

    def always(self, script: Script, *, user_id: str | None = None) -> None:
        """Use this script for every valid request (of *user_id*) from now on; `OK` ends it."""
        with self._changed:
            self._always[user_id] = script

    def listen(self, listener: Callable[[VendorCall], None]) -> None:
        """
        Call *listener* with the outcome of each valid request, before the caller gets the answer.

        It runs on the server's thread and must not block.
        """
        self._listeners.append(listener)

    def release(self) -> None:
        """Answer the requests that hang."""
        with self._changed:
            hanging, self._hanging = self._hanging, []
        for answer in hanging:
            self._server.later(0, answer)

    def refuse_connections(self) -> None:
        """Go down: close open connections and refuse new ones."""
        self._server.refuse()

    def accept_connections(self) -> None:
        """Come up again at the same address."""
        self._server.accept()

    def wait_for(self, wanted: int | Callable[[Sequence[Received]], bool], timeout: float = PATIENCE) -> list[Received]:
        """
        Return the requests once there are *wanted* of them, or once *wanted* is true for them.

        Raises:
            TimeoutError: That did not happen within *timeout* seconds; the message lists what arrived.
        """
        return self._wait(self._received, wanted, timeout)

    def wait_for_taken(
        self, wanted: int | Callable[[Sequence[SentImage]], bool], timeout: float = PATIENCE
    ) -> list[SentImage]:
        """Do as `wait_for`, with the images that were sent."""
        return self._wait(self._taken, wanted, timeout)

    def stop(self) -> None:
        """Close the port and all connections."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait(self, things: list[_T], wanted: int | Callable[[Sequence[_T]], bool], timeout: float) -> list[_T]:
        def arrived() -> bool:
            return len(things) >= wanted if isinstance(wanted, int) else wanted(things)

        with self._changed:
            if self._changed.wait_for(arrived, timeout):
                return list(things)
            last = "\n  ".join(str(received) for received in self._received[-10:]) or "nothing"
            message = (
                f"waited {timeout} s for {wanted}; {len(self._received)} requests arrived, "
                f"{len(self._taken)} images went out; the last requests:\n  {last}"
            )
        raise TimeoutError(message)

    def _receive(self, request: Request, back: Answerer) -> None:
        number, now = next(self._numbers), time.time()
        try:
            received = self._understand(number, now, request)
        except RequestFault as fault:
            self._keep(Received(number, now, request, None, str(fault)))
            _refuse(fault, back)
            return
        script = self._keep(received)
        if script.delay:
            self._server.later(script.delay, lambda: self._handle(received, script, back))
        else:
            self._handle(received, script, back)

    def _understand(self, number: int, now: float, request: Request) -> Received:
        if upload_file.is_upload(request):
            return Received(number, now, request, None, "", upload_file.read(request, self._account))
        return Received(number, now, request, send_image.read(request, self._account), "")

    def _keep(self, received: Received) -> Script:
        """Record a request on arrival; return its script."""
        with self._changed:
            self._received.append(received)
            self._changed.notify_all()
            if received.upload:
                return self._choose(_UPLOADS)
            if received.message is None:
                return OK
            script = self._choose(received.message.user_id, None)
            return self._unless_gone(received.message) or script

    def _unless_gone(self, message: ImageMessage) -> Script | None:
        """Return Zalo's answer for an upload that has expired or belongs to another OA."""
        uploaded = self._uploaded.get(message.image) if message.field == "attachment_id" else None
        if uploaded and uploaded.token in self._expired:
            return vendor_code(-100, "attachment_id was expired")
        if uploaded and uploaded.upload.oa_id != message.oa_id:
            return vendor_code(-201, "attachment_id is invalid")
        return None

    def _choose(self, *user_ids: str | None) -> Script:
        for user_id in user_ids:
            if queue := self._next.get(user_id):
                return queue.popleft()
            if user_id in self._always and self._always[user_id] is not OK:
                return self._always[user_id]
        return OK

    def _handle(self, received: Received, script: Script, back: Answerer) -> None:
        take = self._take if received.message else self._take_upload
        success = take(received, script, back)
        if script.ending == "cut":
            back.cut()
        elif script.ending == "answer":
            _answer(script, success, back)

    def _hold(self, script: Script, success: dict[str, object], back: Answerer) -> None:
        if script.ending == "hang":
            self._hanging.append(lambda: back.answer(HTTPStatus.OK, _encode(success), _JSON))

    def _take_upload(self, received: Received, script: Script, back: Answerer) -> dict[str, object]:
        """Record an upload, and return the body of its success."""
        assert received.upload is not None  # noqa: S101 - only right requests come here
        token = secrets.token_urlsafe(24) if received.upload.is_kept else ""
        success = upload_file.success(token, f"sandbox-{received.number}")
        with self._changed:
            if script.takes and token:
                self._uploaded[token] = UploadedImage(received.upload, token, time.time())
            self._hold(script, success, back)
            self._changed.notify_all()
        return success

    def _take(self, received: Received, script: Script, back: Answerer) -> dict[str, object]:
        """Record the outcome and call the listeners; return the body of a success."""
        assert received.message is not None  # noqa: S101 - only right requests come here
        message, now = received.message, time.time()
        msg_id = secrets.token_hex(10)
        success = send_image.success(message, msg_id, f"sandbox-{received.number}")
        handled = VendorCall(
            received,
            now,
            script.status if script.ending == "answer" else None,
            msg_id if script.takes else "",
        )
        with self._changed:
            self._handled.append(handled)
            if script.takes:
                self._taken.append(SentImage(message, msg_id, now))
            self._hold(script, success, back)
            self._changed.notify_all()
        for listener in self._listeners:
            listener(handled)
        return success


def _refuse(fault: RequestFault, back: Answerer) -> None:
    allow = {"Allow": "POST"} if fault.status == HTTPStatus.METHOD_NOT_ALLOWED else {}
    back.answer(fault.status, _encode(send_image.failure(fault.status, str(fault))), _JSON | allow)


def _answer(script: Script, success: dict[str, object], back: Answerer) -> None:
    """Give the answer of *script*, or the documented one if it has none."""
    status, body = script.status, script.body
    if status == HTTPStatus.NO_CONTENT:
        back.answer(status, b"", script.headers, pace=script.pace)
        return
    if body is None:
        body = success if 200 <= status < 300 else send_image.failure(status, "the sandbox was told to fail")
    data = body if isinstance(body, bytes) else _encode(body)
    back.answer(status, data, _JSON | dict(script.headers), pace=script.pace)


def _encode(body: object) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate can only be written escaped
        return json.dumps(body).encode()
