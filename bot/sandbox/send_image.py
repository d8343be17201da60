"""Check requests to `oa-send-image` field by field as documented, and build the answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from bot.sandbox.http_server import Request

PATH = "/api/vendor/v1/zalo/oa-send-image"

_FIXED_HEADERS = {"accept": "*/*", "content-type": "application/json"}
_IMAGE_FIELDS = ("image_url", "attachment_id")


@dataclass(frozen=True, slots=True)
class Account:
    """The account: the credentials that the sandbox expects, and its OAs (empty: any)."""

    api_key: str
    access_token: str = ""
    bearer_token: str = ""
    api_key_only: bool = False
    """Whether the other two headers must be absent, as in the vendor's newest revision."""
    oa_ids: frozenset[str] = frozenset()

    @property
    def headers(self) -> dict[str, str]:
        """The credential headers of a valid request, names in lower case."""
        if self.api_key_only:
            return {"api-key": self.api_key}
        return {
            "api-key": self.api_key,
            "accesstoken": self.access_token,
            "authorization": f"Bearer {self.bearer_token or self.access_token}",
        }


@dataclass(frozen=True, slots=True)
class ImageMessage:
    """A valid request: one image for one user of one OA."""

    oa_id: str
    user_id: str
    image: str
    """The value of the image field."""
    field: str
    """`image_url` or `attachment_id`."""


class RequestFault(Exception):
    """The fault of a request, in words without secrets."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def read(request: Request, account: Account) -> ImageMessage:
    """
    Return the message that *request* asks for.

    Raises:
        RequestFault: It differs from the documentation.
    """
    if request.path != PATH:
        raise RequestFault(HTTPStatus.NOT_FOUND, f"only {PATH} is served here")
    if request.method != "POST":
        raise RequestFault(HTTPStatus.METHOD_NOT_ALLOWED, "only POST is allowed")
    check_credentials(request.headers, account)
    for name, expected in _FIXED_HEADERS.items():
        if request.headers.get(name) != expected:
            raise RequestFault(HTTPStatus.BAD_REQUEST, f"header {name} must be {expected}")
    message = _image_message(request.body)
    if account.oa_ids and message.oa_id not in account.oa_ids:
        raise RequestFault(HTTPStatus.FORBIDDEN, "this OA does not belong to the account")
    return message


def check_credentials(headers: Mapping[str, str], account: Account) -> None:
    """
    Check that the credentials are those of the account.

    Raises:
        RequestFault: They are missing, or those of another account.
    """
    for name, expected in account.headers.items():
        if name not in headers:
            raise RequestFault(HTTPStatus.UNAUTHORIZED, f"header {name} is missing")
        if headers[name] != expected:
            raise RequestFault(HTTPStatus.UNAUTHORIZED, f"header {name} is not the one of this account")
    if account.api_key_only:
        for name in ("accesstoken", "authorization"):
            if name in headers:
                raise RequestFault(HTTPStatus.BAD_REQUEST, f"header {name} must not be sent for this account")


def _image_message(body: bytes) -> ImageMessage:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestFault(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
    if not isinstance(given, dict) or given.keys() != {"message", "oa_id", "recipient"}:
        raise RequestFault(HTTPStatus.BAD_REQUEST, "the body must have exactly message, oa_id and recipient")
    message, recipient, oa_id = given["message"], given["recipient"], given["oa_id"]
    if not isinstance(recipient, dict) or recipient.keys() != {"user_id"}:
        raise RequestFault(HTTPStatus.BAD_REQUEST, "recipient must have exactly user_id")
    user_id = recipient["user_id"]
    if not (is_id(oa_id) and is_id(user_id)):
        raise RequestFault(HTTPStatus.BAD_REQUEST, "oa_id and user_id must be strings of digits")
    field, image = _image(message)
    return ImageMessage(oa_id, user_id, image, field)


def _image(message: object) -> tuple[str, str]:
    if not isinstance(message, dict) or len(message) != 1:
        raise RequestFault(HTTPStatus.BAD_REQUEST, "message must have exactly one image field")
    ((field, image),) = message.items()
    if field not in _IMAGE_FIELDS or not isinstance(image, str) or not image:
        raise RequestFault(HTTPStatus.BAD_REQUEST, "message must have one of image_url and attachment_id, as text")
    return field, image


def is_id(value: object) -> bool:
    """Return whether *value* can be the id of an OA or a user: a text of digits."""
    return isinstance(value, str) and value.isascii() and value.isdecimal()


def success(message: ImageMessage, msg_id: str, referent_id: str) -> dict[str, object]:
    """Return the body of a success; its `user_id` is the vendor's own, not Zalo's."""
    data = {
        "direction": "out",
        "msg_id": msg_id,
        "oa_id": message.oa_id,
        "recipient_id": message.user_id,
        "sender_id": message.oa_id,
        "shop_id": "1001000000000000001",
        "type": "photo",
        "user_id": "1001000000000000002",
        "zl_user_id": message.user_id,
    }
    return {"code": 0, "data": data, "message": "OK", "referentId": referent_id}


def failure(status: int, message: str) -> dict[str, object]:
    """Return the body of a refusal; it is not documented, so it is modelled on that of a success."""
    return {"code": status, "data": {}, "message": message, "errors": {}}
