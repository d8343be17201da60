"""HTTP client of the CPaaS vendor: send an image, upload a file; each answer mapped to an error class."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from urllib3 import encode_multipart_formdata
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError

from bot.config import Settings
from bot.errors import (
    DeliveryError,
    Misconfigured,
    NotNow,
    OutcomeUnknown,
    PictureExpired,
    PictureRefused,
    Refused,
)
from bot.logs import single_line
from bot.net.bounded import TLSFailed
from bot.net.endpoint import Answer, Endpoint, was_never_read

SEND_IMAGE_PATH = "/api/vendor/v1/zalo/oa-send-image"
UPLOAD_FILE_PATH = "/api/vendor/v1/zalo/upload-file"

#: How many uploads one process may have in progress.
MAX_UPLOADS = 4

#: The limit of an answer, decompressed, in bytes; a real one has some hundred.
MAX_ANSWER_BYTES = 1024 * 1024

# The upper bound of Retry-After, in seconds; a retry that is too early only costs one call.
_MAX_RETRY_AFTER_SECONDS = 60.0
_MAX_MESSAGE_CHARS = 300
# In every sample, ids of Zalo and of the vendor have at most 64 characters, upload tokens about 200.
_MAX_ID_CHARS = 128
_MAX_TOKEN_CHARS = 2048

# The vendor may close idle connections just as we reuse them; the last attempt opens a new one.
_MAX_STALE_CONNECTIONS = 3

Kind = type[DeliveryError]


def _codes(*rows: tuple[Kind, str]) -> Mapping[str, Kind]:
    return {code: kind for kind, codes in rows for code in codes.split()}


#: The error classes of Zalo's error codes (OA API table) and eTelecom's (Twirp's), anywhere in an answer.
_CODES = _codes(
    (NotNow, "-32 -200 -211 -234"),
    (Misconfigured, "-118 -124 -202 -204 -205 -209 -212 -216 -219 -220 -221 -223 -224 -240 -242 -320 -321 -401 -14014"),
    (PictureExpired, "-100"),
    (PictureRefused, "-201 -210"),  # an invalid field or a limit: most often the image's
    (Refused, "-213 -217 -218 -222 -227 -230 -232 -233 -244 -248 -305 -311"),
    (Misconfigured, "unauthenticated permission_denied"),
    (NotNow, "resource_exhausted unavailable internal aborted"),
    (OutcomeUnknown, "deadline_exceeded canceled"),
    (Refused, "invalid_argument malformed not_found bad_route unimplemented failed_precondition out_of_range"),
)

#: The error classes of HTTP statuses without such a code; for 200, 201 and 204 the body decides.
_STATUSES = _codes(
    (Refused, "400 404 405"),
    (Misconfigured, "401 403 301 302 303 307 308 407"),
    (NotNow, "408 429 500 503"),
    (OutcomeUnknown, "502 504"),
)

_SUCCESS_CODES = {"", "0", "200"}
_CODE_IN_WORDS = re.compile(r"(?<![\w-])-\d{2,5}\b", re.ASCII)
_QUOTA_KIND = re.compile(r"[a-z_]{1,32}")
_COUNT = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Quota:
    """How many messages the OA may still send, free or paid, as eTelecom reports in the answer to a send."""

    kind: str
    """Zalo's `quota_type`: reply (of this user), sub_quota, purchase_quota, reward_quota, welcome_msg…; or other."""
    left: int
    size: int | None
    """The full quota; None if only the rest is reported."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The ids in the vendor's answer to a sent image; "" for a missing one."""

    msg_id: str
    referent_id: str
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The vendor's answer to a request that sends nothing."""

    status: int
    failure: Kind | None
    """The error class that this answer to a send would raise; None for a success."""
    words: str
    """The vendor's words, without our secrets."""
    date: str
    """The Date header; "" if there is none."""


class CpaasClient:
    """Sends images for any number of OAs and threads over pooled connections."""

    def __init__(self, settings: Settings) -> None:
        self.timeout = settings.send_timeout
        """The deadline of one call, in seconds."""
        self._secrets = [
            secret.get_secret_value()
            for secret in (settings.cpaas_api_key, settings.cpaas_access_token, settings.cpaas_bearer_token)
            if secret is not None
        ]
        url = settings.cpaas_base_url + SEND_IMAGE_PATH
        connections = settings.send_concurrency + MAX_UPLOADS + 1  # one upload that no customer waits for
        self._vendor = Endpoint(url, self.timeout, MAX_ANSWER_BYTES, connections=connections)
        self._send_target = self._vendor.target(url)
        self._headers = _headers(settings)
        self._json_headers = self._headers | {"Content-Type": "application/json"}
        self._upload_url = settings.cpaas_base_url + UPLOAD_FILE_PATH
        self.upload_type = settings.cpaas_upload_type
        """The `type` of uploads; a token of one type may be invalid for another."""

    def send_image(self, *, oa_id: str, user_id: str, image: Mapping[str, str]) -> Receipt:
        """
        Send one image: *image* is ``{"image_url": …}`` or ``{"attachment_id": …}``.

        Raises:
            DeliveryError: Any subclass but NotReady; a return means that the vendor took the image.
        """
        body = {"message": dict(image), "oa_id": oa_id, "recipient": {"user_id": user_id}}
        content = json.dumps(body, ensure_ascii=False).encode()
        answer = self._call(self._send_target, content, self._json_headers)
        data = _data(answer)
        return Receipt(
            msg_id=_id(data.get("msg_id")) or _id(data.get("file")),
            referent_id=_id(answer.get("referentId")),
            quota=_quota(data.get("quota") or answer.get("quota")),
        )

    def upload_file(self, *, oa_id: str, name: str, content: bytes) -> str:
        """
        Upload an image for one OA and return the token that is its `attachment_id` for the next 7 days.

        *name* must have an extension: without one, Zalo answers success without a token. The vendor's page on
        `upload-file` names `type` and `oaId` as query, `file` as form field, and `data.token` in the answer, for "the
        send file/image APIs"; Zalo itself calls the same thing `attachment_id`.

        Raises:
            DeliveryError: As for `send_image`; a success without a token is Refused.
        """
        query = urlencode({"type": self.upload_type, "oaId": oa_id})
        part = (name, content, "image/png" if name.endswith(".png") else "image/jpeg")
        body, content_type = encode_multipart_formdata({"file": part})
        target = self._vendor.target(f"{self._upload_url}?{query}")
        data = _data(self._call(target, body, self._headers | {"Content-Type": content_type}))
        token = _id(data.get("token"), _MAX_TOKEN_CHARS) or _id(data.get("attachment_id"), _MAX_TOKEN_CHARS)
        if not token:
            raise Refused("the vendor took the upload and gave no token; CPAAS_UPLOAD_TYPE may be wrong")
        return token

    def _call(self, target: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return the body of a success; raise the error class of any other answer."""
        for _ in range(_MAX_STALE_CONNECTIONS):
            try:
                answer = self._vendor.post(target, body, headers)
            except HTTPError as error:
                failure = _no_answer(error)
                if not was_never_read(error):
                    break
            else:
                return self._read(answer)
        raise failure

    def probe(self, *, credentials: str | None = None) -> ProbeResult:
        """
        Send an empty object, which names neither user nor image, so that nothing can be sent.

        *credentials* replaces ours, to see whether the vendor checks them.

        Raises:
            urllib3.exceptions.HTTPError: There was no answer.
        """
        headers = self._json_headers
        if credentials is not None:
            headers = headers | dict.fromkeys(_CREDENTIALS & headers.keys(), credentials)
        answer = self._vendor.post(self._send_target, b"{}", headers)
        kind, words = _failure(answer, _object(answer)) or (None, "")
        return ProbeResult(answer.status, kind, self._without_secrets(words), _text(answer.headers.get("Date", "")))

    def _read(self, answer: Answer) -> dict[str, Any]:
        fields = _object(answer)
        failure = _failure(answer, fields)
        if failure is not None:
            kind, words = failure
            text = f"HTTP {answer.status}: {self._without_secrets(words)}"
            raise NotNow(text, retry_after=_retry_after(answer)) if kind is NotNow else kind(text)
        return fields or {}

    def _without_secrets(self, words: str) -> str:
        for secret in self._secrets:
            words = words.replace(secret, "…")
        return single_line(words)[:_MAX_MESSAGE_CHARS]


_CREDENTIALS = {"API-KEY", "accessToken", "Authorization"}


def _headers(settings: Settings) -> dict[str, str]:
    headers = {"accept": "*/*", "User-Agent": "zalo-picture-bot"}
    if settings.cpaas_api_key is not None:
        headers["API-KEY"] = settings.cpaas_api_key.get_secret_value()
    if not settings.cpaas_api_key_only and settings.cpaas_access_token is not None:
        bearer = settings.cpaas_bearer_token or settings.cpaas_access_token
        headers["accessToken"] = settings.cpaas_access_token.get_secret_value()
        headers["Authorization"] = f"Bearer {bearer.get_secret_value()}"
    return headers


def _object(answer: Answer) -> dict[str, Any] | None:
    """Return the JSON object in the answer, its numbers as text; None if there is none."""
    try:
        value = json.loads(answer.body, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _data(answer: dict[str, Any]) -> dict[str, Any]:
    data = answer.get("data")
    return data if data and isinstance(data, dict) else answer  # eTelecom answers without an envelope


def _failure(answer: Answer, fields: dict[str, Any] | None) -> tuple[Kind, str] | None:
    """Return the error class and the vendor's words; None for a success. The vendor also answers refusals with 200."""
    status = answer.status
    words = _words(fields) if fields is not None else _text(answer.reason)
    if status == 204:
        return None
    if status in {502, 504}:
        return OutcomeUnknown, words
    for code in _codes_in(fields or {}):
        if code in _CODES:
            return _CODES[code], words
    if status not in {200, 201}:
        return _STATUSES.get(str(status), Refused if 400 <= status < 500 else OutcomeUnknown), words
    if fields is None:
        return OutcomeUnknown, "an answer that is no JSON object"
    code = _id(fields.get("code"))
    return None if code in _SUCCESS_CODES else (_STATUSES.get(code, Refused), words)


def _codes_in(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield all values that may be a code of Zalo or eTelecom, the most specific field first."""
    errors = answer.get("errors")
    inner = errors if isinstance(errors, dict) else {}
    for place in (answer, inner):
        for name in ("code", "error", "error_code"):
            yield _id(place.get(name))
    text = " ".join((*(_text(answer.get(name)) for name in ("message", "msg")), json.dumps(errors) if errors else ""))
    yield from _CODE_IN_WORDS.findall(text)


def _words(answer: Mapping[str, Any]) -> str:
    parts = [f"code {_id(answer.get('code'))}" if "code" in answer else ""]
    parts += [_text(answer.get("message")), _text(answer.get("msg"))]
    parts += [json.dumps(answer["errors"], ensure_ascii=False) if answer.get("errors") else ""]
    return ", ".join(filter(None, parts))


def _text(value: object) -> str:
    """Return the vendor's words without NUL and lone surrogates, which databases cannot store."""
    return single_line(value) if isinstance(value, str) else ""


def _id(value: object, most: int = _MAX_ID_CHARS) -> str:
    """Return an id or a code; "" for any other value."""
    text = _text(value)
    return text if len(text) <= most else ""


def _quota(value: object) -> Quota | None:
    """Return the quota in an answer; None if there is none or it is unusable."""
    if not isinstance(value, dict) or (left := _count(value.get("remain"))) is None:
        return None
    kind = _id(value.get("quota_type"))
    return Quota(kind if _QUOTA_KIND.fullmatch(kind) else "other", left, _count(value.get("total")))


def _count(value: object) -> int | None:
    text = _id(value)
    return int(text) if _COUNT.fullmatch(text) else None


def _retry_after(answer: Answer) -> float:
    """Return the seconds of Retry-After, given as a number or as a date; 0 if it is invalid."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            retry_at, now = parsedate_to_datetime(text), parsedate_to_datetime(answer.headers.get("Date", ""))
            seconds = (retry_at - now).total_seconds()
        except (ValueError, TypeError):
            seconds = 0.0
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_SECONDS)


def _no_answer(error: HTTPError) -> DeliveryError:
    if was_never_read(error):
        return NotNow("the vendor closes connections before it reads", reached=False)
    # A ProxyError, too, is raised while connecting, before the request is written.
    if isinstance(error, (ConnectTimeoutError, NewConnectionError, ProxyError, TLSFailed)):
        return NotNow(f"no connection: {type(error).__name__}", reached=False)
    return OutcomeUnknown(f"no answer: {type(error).__name__}")
