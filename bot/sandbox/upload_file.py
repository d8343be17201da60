"""Check requests to `upload-file` field by field as documented, and build the answer."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from werkzeug.datastructures import FileStorage
from werkzeug.formparser import parse_form_data

from bot.sandbox.http_server import Request
from bot.sandbox.send_image import Account, RequestFault, check_credentials, is_id
from bot.zalo import MAX_IMAGE_BYTES

PATH = "/api/vendor/v1/zalo/upload-file"

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


@dataclass(frozen=True, slots=True)
class Upload:
    """A valid request: one image for one OA."""

    oa_id: str
    type: str
    name: str
    content: bytes

    @property
    def is_kept(self) -> bool:
        """Whether Zalo keeps it: for a name without an extension it answers success, but keeps nothing."""
        return "." in self.name.strip(".")


def is_upload(request: Request) -> bool:
    """Return whether the request is for this endpoint."""
    return urlsplit(request.path).path == PATH


def read(request: Request, account: Account) -> Upload:
    """
    Return the image in *request*.

    Raises:
        RequestFault: It differs from the documentation.
    """
    if request.method != "POST":
        raise RequestFault(HTTPStatus.METHOD_NOT_ALLOWED, "only POST is allowed")
    check_credentials(request.headers, account)
    if request.headers.get("accept") != "*/*":
        raise RequestFault(HTTPStatus.BAD_REQUEST, "header accept must be */*")
    query = parse_qsl(urlsplit(request.path).query, keep_blank_values=True)
    fields = dict(query)
    if len(query) != 2 or fields.keys() != {"type", "oaId"} or not fields["type"] or not is_id(fields["oaId"]):
        raise RequestFault(HTTPStatus.BAD_REQUEST, "the query must have exactly type and oaId, an id")
    if account.oa_ids and fields["oaId"] not in account.oa_ids:
        raise RequestFault(HTTPStatus.FORBIDDEN, "this OA does not belong to the account")
    file = _file(request)
    content = file.read()
    if not content.startswith(_MAGIC):
        raise RequestFault(HTTPStatus.BAD_REQUEST, "the file is no JPEG and no PNG")
    if len(content) > MAX_IMAGE_BYTES:
        raise RequestFault(HTTPStatus.BAD_REQUEST, "-210: the file is over the limit of 1 MB")
    return Upload(fields["oaId"], fields["type"], file.filename or "", content)


def _file(request: Request) -> FileStorage:
    """Return the form's only part, the file."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data;"):
        raise RequestFault(HTTPStatus.BAD_REQUEST, "header content-type must be multipart/form-data with its boundary")
    form, files = _parts(request.headers, request.body)
    if form or list(files) != ["file"] or not files["file"].filename:
        raise RequestFault(HTTPStatus.BAD_REQUEST, "the form must have exactly one file, under file")
    return files["file"]


def _parts(headers: Mapping[str, str], body: bytes) -> tuple[Mapping[str, str], Mapping[str, FileStorage]]:
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": headers["content-type"],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    _, form, files = parse_form_data(environ, stream_factory=_in_memory)
    return form, files


def _in_memory(
    total_content_length: int | None,  # noqa: ARG001  werkzeug's signature
    content_type: str | None,  # noqa: ARG001
    filename: str | None,  # noqa: ARG001
    content_length: int | None = None,  # noqa: ARG001
) -> io.BytesIO:
    return io.BytesIO()


def success(token: str, referent_id: str) -> dict[str, object]:
    """Return the body of a successful upload."""
    return {"code": 0, "data": {"token": token} if token else {}, "message": "OK", "referentId": referent_id}
