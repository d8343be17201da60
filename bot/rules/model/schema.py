"""The pydantic models of rules.yaml."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.rules.model import field_parsers
from bot.rules.model import field_types as ft
from bot.rules.model.field_parsers import field_error
from bot.rules.model.image_links import image_link


def in_both(vi: str, en: str) -> str:
    """Return a description in both languages: completion does not know its reader's language."""
    return f"{vi}\n\n{en}"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Keyword(_Model):
    """Words to find in a message; in the file a text, or a mapping with ``match``."""

    text: ft.ShortText = Field(description=in_both("Những chữ cần tìm trong tin nhắn.", "The words to look for."))
    match: ft.Match = Field(
        "phrase",
        description=in_both(
            "phrase: các chữ liền nhau, ở đâu cũng được (mặc định). exact: cả tin nhắn. prefix: đầu tin nhắn. "
            "contains: từng chữ cái, kể cả giữa một chữ khác.",
            "phrase: the words in a row, anywhere (default). exact: the whole message. prefix: its beginning. "
            "contains: letters anywhere, even inside other words.",
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: object) -> object:
        data = ft.one_line(data)
        return {"text": data} if isinstance(data, str) else data


class FallbackImage(_Model):
    """The image that is sent if the uploaded one cannot be."""

    image_url: ft.Link = Field(
        description=in_both("Đường dẫn https của ảnh dự phòng.", "The https link of the picture that stands in.")
    )

    @model_validator(mode="before")
    @classmethod
    def _no_text(cls, data: object) -> object:
        _refuse_text(data)
        return data


class Image(_Model):
    """One image: exactly one of ``image_url``, ``attachment_id`` and ``file``."""

    image_url: ft.Link | None = Field(
        None,
        description=in_both(
            "Đường dẫn https mở thẳng ra ảnh JPG hoặc PNG (tối đa 1 MB), không phải trang web chứa ảnh.",
            "An https link straight to a JPG or PNG of at most 1 MB, not to a page that shows it.",
        ),
    )
    attachment_id: ft.AttachmentId | None = Field(
        None,
        description=in_both(
            "Mã ảnh đã tải lên Zalo; hết hạn sau 7 ngày.", "Id of a picture uploaded to Zalo; expires after 7 days."
        ),
    )
    file: ft.ImageFileName | None = Field(
        None,
        description=in_both(
            "Ảnh JPG hoặc PNG (tối đa 1 MB) nằm cạnh kịch bản, ví dụ images/menu.jpg; bot tự tải lên Zalo.",
            "A JPG or PNG of at most 1 MB beside the rules file, as images/menu.jpg; the bot uploads it to Zalo.",
        ),
    )
    otherwise: FallbackImage | None = Field(
        None,
        alias="else",
        description=in_both(
            "Ảnh dự phòng cho file hoặc attachment_id: được gửi khi Zalo không nhận ảnh kia.",
            "Stands in for file or attachment_id: sent when Zalo does not take the other picture.",
        ),
    )
    uploaded: ft.Day | None = Field(
        None,
        description=in_both(
            "Ngày tải ảnh lên (năm-tháng-ngày), để nhắc trước khi attachment_id hết hạn.",
            "The day of the upload (year-month-day), so that you are told before attachment_id expires.",
        ),
    )
    weight: ft.Weight = Field(
        1,
        description=in_both(
            "Trong one_of: ảnh có weight 2 được gửi nhiều gấp đôi ảnh có weight 1.",
            "Inside one_of: a picture of weight 2 goes out twice as often as one of weight 1.",
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _no_text(cls, data: object) -> object:
        _refuse_text(data)
        return data


class Reply(_Model):
    """The images of an answer: all in this order, or one of them."""

    images: Annotated[tuple[Image, ...], ft.Items]
    one_of: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, data: object) -> object:
        """Accept the three forms in a file; a tuple of images comes from code."""
        _refuse_text(data)
        match data:
            case {"images": tuple()}:
                return data
            case {"one_of": pictures, **rest}:
                return {"images": pictures, "one_of": True, **rest}
            case dict():
                return {"images": [data]}
            case list():
                return {"images": data}
        return data


def _refuse_text(data: object) -> None:
    if isinstance(data, str) and data:
        if data.casefold().startswith(("http://", "https://", "www.")):
            raise field_error("bare-link", near=f'image_url: "{_right_link(data)}"')
        raise field_error("text-reply", word=data)


def _right_link(value: str) -> str:
    """Return the link, or its correction; raise its error if there is none."""
    try:
        return image_link(value)
    except PydanticCustomError as error:
        near = (error.context or {}).get("near")
        if near is None or not str(near).startswith("https://"):
            raise
        return str(near)


class Hours(_Model):
    """From *start* to before *end* in the file's time zone; past midnight if *end* is earlier."""

    start: time
    end: time

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: object) -> object:
        match data:
            case str():
                start, end = field_parsers.hours(ft.short(data))
                return {"start": start, "end": end}
            case [_, *_]:
                raise field_error("bad-hours/several")
            case list() | {"start": str()} | {"end": str()}:
                raise field_error("not-text")
        return data


class Active(_Model):
    """When a rule is active; a missing field does not restrict it."""

    from_date: ft.Day | None = Field(
        None, alias="from", description=in_both("Từ ngày này (năm-tháng-ngày).", "From this day (year-month-day).")
    )
    until: ft.Day | None = Field(None, description=in_both("Đến hết ngày này.", "Until this day, which still counts."))
    days: Annotated[tuple[ft.Weekday, ...], ft.Items] = Field(
        (),
        description=in_both(
            "Chỉ những ngày này trong tuần: mon là thứ hai, … sun là chủ nhật.",
            "Only on these days of the week.",
        ),
    )
    hours: Hours | None = Field(
        None,
        description=in_both(
            'Khung giờ, ví dụ "08:00-21:30"; "22:00-06:00" kéo dài qua nửa đêm.',
            'Time of day, as "08:00-21:30"; "22:00-06:00" goes on over midnight.',
        ),
    )


class Rule(_Model):
    """A rule: the messages or events, and the images that answer them."""

    id: ft.Id = Field(
        description=in_both("Tên riêng của quy tắc: a-z, 0-9 và dấu -.", "The rule's own name: a-z, 0-9 and -.")
    )
    keywords: Annotated[tuple[Keyword, ...], ft.Items] = Field(
        (),
        description=in_both(
            "Có một trong các từ khóa này là khớp. Viết đúng dấu: khách gõ không dấu vẫn khớp.",
            "Any one of them is enough. Spell with marks: customers who leave them out still match.",
        ),
    )
    exclude: Annotated[tuple[Keyword, ...], ft.Items] = Field(
        (),
        description=in_both(
            "Tin nhắn có một trong các từ này thì quy tắc không trả lời.",
            "The rule does not answer a message with one of these.",
        ),
    )
    all_of: Annotated[tuple[Annotated[tuple[Keyword, ...], ft.Items], ...], ft.Groups, ft.Items] = Field(
        (),
        description=in_both(
            "Nhiều nhóm từ: tin nhắn phải có ít nhất một từ của mỗi nhóm.",
            "Groups of words: the message must have one of each group.",
        ),
    )
    pattern: ft.Text | None = Field(
        None,
        description=in_both(
            "Biểu thức RE2, so với tin nhắn chữ thường đã bỏ dấu. Viết trong dấu nháy đơn.",
            "An RE2 expression, tried on the message in small letters without marks. Use single quotes.",
        ),
    )
    priority: ft.Priority = Field(
        0, description=in_both("Số lớn hơn được ưu tiên; mặc định 0.", "The higher number wins; default 0.")
    )
    enabled: ft.Flag = Field(True, description=in_both("false: tạm tắt quy tắc này.", "false: switches this rule off."))
    on: ft.Event = Field(
        "text",
        description=in_both(
            "Khách làm gì: text là nhắn chữ (mặc định), follow là bấm quan tâm, image là gửi ảnh…",
            "What the customer does: text (default), follow, image…",
        ),
    )
    active: Active | None = Field(
        None, description=in_both("Chỉ trả lời trong thời gian này.", "Answers only in this time.")
    )
    cooldown: ft.Duration | None = Field(
        None,
        description=in_both(
            "Với cùng một khách, chờ ít nhất chừng này rồi mới trả lời lại: 30s, 10m, 2h, 1d.",
            "Waits at least this long before answering the same customer again: 30s, 10m, 2h, 1d.",
        ),
    )
    oa: Annotated[tuple[ft.OaId, ...], ft.Items] = Field(
        (), description=in_both("Chỉ cho những OA có mã này.", "Only for the OAs with these ids.")
    )
    reply: Reply = Field(description=in_both("Ảnh trả lời.", "The pictures of the answer."))
    examples: Annotated[tuple[ft.Text, ...], ft.Items] = Field(
        (),
        description=in_both(
            "Tin nhắn mẫu mà quy tắc này phải trả lời; được thử mỗi lần kiểm tra kịch bản.",
            "Messages that this rule must answer; tried whenever the file is checked.",
        ),
    )
    not_examples: Annotated[tuple[ft.Text, ...], ft.Items] = Field(
        (),
        description=in_both(
            "Tin nhắn mẫu mà quy tắc này không được trả lời.", "Messages that this rule must not answer."
        ),
    )


class Fallback(_Model):
    """The answer to a text that no rule matches."""

    reply: Reply = Field(description=in_both("Ảnh trả lời.", "The pictures of the answer."))
    every: ft.Duration | None = Field(
        None,
        description=in_both(
            "Mỗi khách chỉ nhận một lần trong khoảng này, ví dụ 24h.",
            "At most once per customer in this time, as 24h.",
        ),
    )


class RuleFile(_Model):
    """The content of a rules file."""

    version: ft.Version = Field(1, description=in_both("Phiên bản của định dạng: 1.", "Version of the format: 1."))
    timezone: ft.Timezone = Field(
        "Asia/Ho_Chi_Minh",
        description=in_both("Múi giờ của ngày và giờ trong tệp.", "Time zone of the dates and hours in this file."),
    )
    abbreviations: dict[ft.ShortText, ft.ShortText] = Field(
        default_factory=dict,
        description=in_both(
            "Chữ viết tắt của khách, thêm vào danh sách có sẵn: {bn: bao nhiêu}.",
            "How customers shorten words, added to the built-in list: {bn: bao nhiêu}.",
        ),
    )
    typos: ft.Flag = Field(
        True,
        description=in_both("Bỏ qua một chữ cái gõ sai trong từ dài.", "Forgive one wrong letter in long words."),
    )
    rules: Annotated[tuple[Rule, ...], ft.RuleItems] = Field(
        description=in_both(
            "Các quy tắc. Quy tắc viết trước thắng khi hai quy tắc khớp như nhau.",
            "The rules. Of two that match equally well, the one written first wins.",
        )
    )
    fallback: Fallback | None = Field(
        None,
        description=in_both(
            "Trả lời mặc định: cho tin nhắn không khớp quy tắc nào.", "The answer when no rule matches a text."
        ),
    )
