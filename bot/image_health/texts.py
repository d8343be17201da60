"""The verdicts on pictures in Vietnamese and in English: what is the case, why it matters, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.config import Language
from bot.image_health.verdict import Look, Word


@dataclass(frozen=True, slots=True)
class PictureWords:
    """What to say of a picture; the last two are empty where nothing is to be done."""

    label: str
    """In a word or two."""
    said: str
    """As the end of a sentence about the picture; may name `status`, `form` and `size`, see `facts`."""
    why: str = ""
    todo: str = ""


_NOTHING: Final = (
    "Zalo không lấy được ảnh thì khách không nhận được gì.",
    "Where Zalo cannot fetch the picture, customers get nothing.",
)
_MAYBE_HERE: Final = (
    "Thử mở đường dẫn trên điện thoại (tắt Wi-Fi). Mở được thì có thể do mạng của máy chạy bot; không mở được thì đưa"
    " ảnh lên chỗ khác.",
    "Open the link on a phone (Wi-Fi off). If it opens, the trouble may be this machine's network; if not, put the"
    " picture somewhere else.",
)

PICTURE_WORDS: Final[Mapping[Word, Mapping[Language, PictureWords]]] = {
    "ok": {"vi": PictureWords("Ổn", "gửi được."), "en": PictureWords("Fine", "can be sent.")},
    "bad-address": {
        "vi": PictureWords(
            "Địa chỉ sai",
            "địa chỉ này không dùng được.",
            _NOTHING[0],
            "Mở ảnh trong trình duyệt rồi chép lại đường dẫn https.",
        ),
        "en": PictureWords(
            "Bad address",
            "this address is not usable.",
            _NOTHING[1],
            "Open the picture in a browser and copy its https link again.",
        ),
    },
    "unknown-host": {
        "vi": PictureWords(
            "Không có máy chủ này",
            "không tìm thấy máy chủ có tên này.",
            _NOTHING[0],
            f"Xem có gõ sai tên miền không, tên miền còn hạn không. {_MAYBE_HERE[0]}",
        ),
        "en": PictureWords(
            "No such server",
            "there is no server of that name.",
            _NOTHING[1],
            f"See whether the name is spelt right and still paid for. {_MAYBE_HERE[1]}",
        ),
    },
    "private-address": {
        "vi": PictureWords(
            "Mạng nội bộ",
            "địa chỉ này nằm trong mạng nội bộ.",
            "Zalo ở ngoài Internet nên không vào đó lấy ảnh được; bot cũng không tự vào để xem.",
            "Đưa ảnh lên một trang web mà ai cũng mở được.",
        ),
        "en": PictureWords(
            "Private network",
            "this address lies in a private network.",
            "Zalo fetches pictures from the internet and cannot get in there; nor does the bot go there to look.",
            "Put the picture on a website that everybody can open.",
        ),
    },
    "unreachable": {
        "vi": PictureWords("Không kết nối được", "không kết nối được tới máy chủ.", _NOTHING[0], _MAYBE_HERE[0]),
        "en": PictureWords("No connection", "its server cannot be reached.", _NOTHING[1], _MAYBE_HERE[1]),
    },
    "tls": {
        "vi": PictureWords(
            "Chứng chỉ lỗi",
            "chứng chỉ bảo mật (TLS) của máy chủ không hợp lệ.",
            _NOTHING[0],
            "Nhờ người quản lý trang web gia hạn hoặc cài lại chứng chỉ, hoặc đưa ảnh lên chỗ khác.",
        ),
        "en": PictureWords(
            "Bad certificate",
            "its server's certificate (TLS) is not valid.",
            _NOTHING[1],
            "Ask whoever runs the site to renew or mend its certificate, or put the picture somewhere else.",
        ),
    },
    "too-slow": {
        "vi": PictureWords("Quá chậm", "máy chủ không gửi ảnh kịp trong 10 giây.", _NOTHING[0], _MAYBE_HERE[0]),
        "en": PictureWords("Too slow", "its server did not deliver it within 10 seconds.", _NOTHING[1], _MAYBE_HERE[1]),
    },
    "broken-answer": {
        "vi": PictureWords(
            "Trả lời dở dang", "máy chủ trả lời dở dang hoặc không đúng chuẩn.", _NOTHING[0], _MAYBE_HERE[0]
        ),
        "en": PictureWords(
            "Broken answer", "its server's answer breaks off or makes no sense.", _NOTHING[1], _MAYBE_HERE[1]
        ),
    },
    "bad-redirect": {
        "vi": PictureWords(
            "Chuyển hướng lỗi",
            "bị chuyển hướng lòng vòng, hoặc sang một địa chỉ không phải https.",
            _NOTHING[0],
            "Mở đường dẫn trong trình duyệt rồi chép địa chỉ cuối cùng của chính tấm ảnh.",
        ),
        "en": PictureWords(
            "Bad redirect",
            "it is redirected in circles, or to an address that is not https.",
            _NOTHING[1],
            "Open the link in a browser and copy the address at which the picture itself ends up.",
        ),
    },
    "error-answer": {
        "vi": PictureWords("Máy chủ báo lỗi", "máy chủ báo lỗi HTTP {status}.", _NOTHING[0], _MAYBE_HERE[0]),
        "en": PictureWords("Server error", "its server answers HTTP {status}.", _NOTHING[1], _MAYBE_HERE[1]),
    },
    "needs-login": {
        "vi": PictureWords(
            "Phải đăng nhập",
            "phải đăng nhập hoặc được cấp quyền mới xem được (HTTP {status}).",
            _NOTHING[0],
            "Mở quyền xem cho mọi người, hoặc đưa ảnh lên chỗ không cần đăng nhập; thử lại bằng cửa sổ ẩn danh.",
        ),
        "en": PictureWords(
            "Needs a log-in",
            "only who is logged in or allowed may see it (HTTP {status}).",
            _NOTHING[1],
            "Share it with everybody, or put it where no log-in is needed; try the link in a private window.",
        ),
    },
    "not-found": {
        "vi": PictureWords(
            "Không còn ảnh",
            "không có gì ở địa chỉ này (HTTP {status}).",
            _NOTHING[0],
            "Tải ảnh lên lại, hoặc sửa đường dẫn trong tệp luật.",
        ),
        "en": PictureWords(
            "Not found",
            "there is nothing at this address (HTTP {status}).",
            _NOTHING[1],
            "Put the picture there again, or mend the link in the rules file.",
        ),
    },
    "web-page": {
        "vi": PictureWords(
            "Là trang web",
            "mở ra một trang web chứ không phải chính tấm ảnh.",
            _NOTHING[0],
            "Bấm chuột phải vào ảnh, chọn «Sao chép địa chỉ hình ảnh», rồi dùng địa chỉ đó.",
        ),
        "en": PictureWords(
            "A web page",
            "it opens a web page, not the picture itself.",
            _NOTHING[1],
            'Right-click the picture, choose "Copy image address", and use that address.',
        ),
    },
    "not-an-image": {
        "vi": PictureWords(
            "Không phải JPG, PNG",
            "không phải ảnh JPG hay PNG (tệp thuộc loại: {form}).",
            "Zalo chỉ nhận ảnh JPG và PNG.",
            "Lưu ảnh lại thành JPG hoặc PNG; chỉ đổi đuôi tên tệp thì không được.",
        ),
        "en": PictureWords(
            "No JPG or PNG",
            "it is no JPG or PNG (kind of file: {form}).",
            "Zalo takes JPG and PNG only.",
            "Save it as JPG or PNG; another ending of its name is not enough.",
        ),
    },
    "too-large": {
        "vi": PictureWords(
            "Quá nặng",
            "nặng quá 1 MB ({size}).",
            "Zalo không nhận ảnh nặng hơn 1 MB.",
            "Giảm kích thước hoặc chất lượng ảnh; ảnh ngang 1.280 điểm là đủ nét trên điện thoại.",
        ),
        "en": PictureWords(
            "Too large",
            "it has more than 1 MB ({size}).",
            "Zalo does not take pictures of more than 1 MB.",
            "Make it smaller or lower its quality; 1,280 pixels across are enough for a phone.",
        ),
    },
    "no-file": {
        "vi": PictureWords(
            "Không có tệp",
            "không có tệp này bên cạnh tệp luật, hoặc bot không đọc được.",
            "Không có ảnh thì khách không nhận được gì.",
            "Chép ảnh vào đúng chỗ, và cho người dùng chạy bot quyền đọc.",
        ),
        "en": PictureWords(
            "No such file",
            "there is no such file beside the rules, or the bot may not read it.",
            "Without it, customers get nothing.",
            "Put the picture there, and let the bot's user read it.",
        ),
    },
    "upload-refused": {
        "vi": PictureWords(
            "Không tải lên được",
            "nhà cung cấp không nhận tệp ảnh này.",
            "Không tải lên được thì khách không nhận được ảnh.",
            "Xem lý do trong nhật ký (dòng «not uploaded»), rồi lưu lại ảnh thành JPG và thay tệp cũ.",
        ),
        "en": PictureWords(
            "Upload refused",
            "the vendor does not take this file.",
            "What cannot be uploaded cannot be sent.",
            'Look for "not uploaded" in the log to see why, then save the picture as JPG again and replace the file.',
        ),
    },
    "expired": {
        "vi": PictureWords(
            "Hết hạn",
            "mã ảnh đã hết hạn: đã quá 7 ngày từ khi tải lên.",
            "Zalo từ chối mã đã hết hạn nên khách không nhận được gì.",
            "Tải ảnh lên lại rồi thay mã mới và ngày uploaded. Dùng image_url hoặc file thì không lo hết hạn.",
        ),
        "en": PictureWords(
            "Expired",
            "the id has expired, seven days after the upload.",
            "Zalo refuses ids that have expired, and customers get nothing.",
            "Upload it again and put the new id and day into the rules. With image_url or file nothing expires.",
        ),
    },
    "not-checked": {
        "vi": PictureWords("Chưa xem", "bot chưa kịp xem thử."),
        "en": PictureWords("Not looked at", "it was not looked at yet."),
    },
    "example-address": {
        "vi": PictureWords(
            "Địa chỉ mẫu",
            "địa chỉ này chỉ để làm mẫu, không có máy chủ thật.",
            "Khách sẽ không nhận được ảnh từ địa chỉ mẫu.",
            "Thay bằng đường dẫn ảnh thật của bạn.",
        ),
        "en": PictureWords(
            "Example address",
            "this address is only an example; there is no server behind it.",
            "Customers get no picture from an example.",
            "Put the link to your own picture in its place.",
        ),
    },
    "behind-proxy": {
        "vi": PictureWords(
            "Không xem được từ đây",
            "không xem thử được vì máy này ra Internet qua proxy.",
            "Bot phải nối thẳng tới máy chủ của ảnh mới biết chắc không đi lạc vào mạng nội bộ, nên không dùng proxy.",
            "Bạn tự mở đường dẫn trên điện thoại (tắt Wi-Fi) xem có ra ảnh không.",
        ),
        "en": PictureWords(
            "Cannot be seen from here",
            "it cannot be looked at: this machine reaches the internet through a proxy.",
            "The bot connects to picture servers itself, to be sure not to enter a private network, and uses no proxy.",
            "Open the link on a phone (Wi-Fi off) to see whether the picture comes.",
        ),
    },
    "no-upload-day": {
        "vi": PictureWords(
            "Chưa rõ ngày tải lên",
            "chưa biết mã ảnh này được tải lên ngày nào.",
            "Mã ảnh hết hạn sau 7 ngày; không có ngày thì bot không nhắc bạn được.",
            "Thêm uploaded: năm-tháng-ngày vào bên cạnh attachment_id.",
        ),
        "en": PictureWords(
            "Day of upload unknown",
            "the day of its upload is not known.",
            "An id expires after seven days; without the day, nobody reminds you.",
            "Add uploaded: year-month-day beside attachment_id.",
        ),
    },
}


def explain(look: Look, lang: Language) -> PictureWords:
    """Return what to say of a picture after that look, its facts filled in."""
    words, values = PICTURE_WORDS[look.word][lang], facts(look)
    return PictureWords(words.label, *(text.format(**values) for text in (words.said, words.why, words.todo)))


def facts(look: Look) -> dict[str, object]:
    """Return what `said` may name: the status of HTTP, the form of the file and its size."""
    return {"status": look.status or "?", "form": look.form or "?", "size": _size(look)}


def _size(look: Look) -> str:
    if look.size is None:
        return "> 1 MB" if look.word == "too-large" else "?"
    return f"{look.size / 1024**2:.1f} MB" if look.size >= 1024**2 else f"{look.size / 1024:.0f} KB"
