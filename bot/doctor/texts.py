"""What `bot doctor` says of this machine: settings, clock, database, rules; and the form of all its texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.config import Language


@dataclass(frozen=True, slots=True)
class Words:
    """What is the case, why it matters and what to do; the last two are empty where all is well."""

    said: str
    why: str = ""
    todo: str = ""


Texts = dict[str, dict[Language, Words]]

HERE: Final[Texts] = {
    "missing": {
        "vi": Words(
            "{name}: chưa có.",
            "Thiếu thông tin này thì bot không khởi động được.",
            "Thêm dòng {name}=… vào tệp .env (hoặc biến môi trường).",
        ),
        "en": Words(
            "{name}: missing.",
            "The bot does not start without it.",
            "Add a line {name}=… to the file .env (or set the environment variable).",
        ),
    },
    "missing-oa-secret": {
        "vi": Words(
            "{name}: chưa có.",
            "Bot dùng khóa này để biết tin nhắn có đúng là do Zalo gửi hay không.",
            "Vào developers.zalo.me, chọn ứng dụng, mở trang Webhook, chép «OA Secret Key»"
            " (không phải «App Secret Key»). Khóa chỉ hiện ra sau khi đã lưu địa chỉ webhook.",
        ),
        "en": Words(
            "{name}: missing.",
            "With it the bot knows whether an event really comes from Zalo.",
            "On developers.zalo.me choose the app, open its Webhook page and copy the OA Secret Key"
            " (not the App Secret Key). It only appears once a webhook URL has been saved.",
        ),
    },
    "wrong": {
        "vi": Words(
            "{name}: giá trị không dùng được ({what}).",
            "Có thông tin sai thì bot không khởi động.",
            "Sửa {name} trong tệp .env hoặc trong biến môi trường.",
        ),
        "en": Words(
            "{name}: not usable ({what}).",
            "The bot does not start with a wrong setting.",
            "Mend {name} in the file .env or in the environment.",
        ),
    },
    "set": {"vi": Words("{name}: đã có, dài {length} ký tự."), "en": Words("{name}: set, {length} characters.")},
    "not-set": {"vi": Words("{name}: không đặt (không bắt buộc)."), "en": Words("{name}: not set (it need not be).")},
    "app-id": {"vi": Words("ZALO_APP_ID: {value}."), "en": Words("ZALO_APP_ID: {value}.")},
    "quotes": {
        "vi": Words(
            "{name}: có dấu nháy ở đầu hoặc cuối.",
            "Docker (--env-file) coi dấu nháy là một phần của khóa, nên khóa thành sai.",
            "Bỏ dấu nháy, chỉ để lại khóa.",
        ),
        "en": Words(
            "{name}: begins or ends with a quotation mark.",
            "Docker's --env-file passes quotation marks on as part of the key, and the key is wrong then.",
            "Remove the quotation marks.",
        ),
    },
    "prefix": {
        "vi": Words("{name}: có chữ «Bearer» ở đầu.", "Bot tự thêm chữ này khi gọi nhà cung cấp.", "Bỏ chữ đó đi."),
        "en": Words('{name}: begins with "Bearer".', "The bot adds that word itself.", "Remove it."),
    },
    "space": {
        "vi": Words(
            "{name}: có dấu cách ở giữa.", "Khóa không bao giờ có dấu cách; có lẽ đã chép thừa.", "Chép lại khóa."
        ),
        "en": Words(
            "{name}: has a space in it.", "No key has one; too much was probably copied.", "Copy the key again."
        ),
    },
    "same": {
        "vi": Words(
            "{name} giống hệt {other}.",
            "Hai giá trị này không bao giờ trùng nhau: một trong hai đã bị dán nhầm chỗ.",
            "Chép lại cả hai; OA Secret Key nằm ở trang Webhook của ứng dụng Zalo.",
        ),
        "en": Words(
            "{name} is the same as {other}.",
            "They never are: one of them was pasted into the wrong place.",
            "Copy both again; the OA Secret Key is on the Webhook page of the Zalo app.",
        ),
    },
    "vendor-http": {
        "vi": Words(
            "CPAAS_BASE_URL dùng http chứ không phải https.",
            "Khóa của bạn đi qua mạng mà ai cũng đọc được.",
            "Đổi thành https://…",
        ),
        "en": Words(
            "CPAAS_BASE_URL is http, not https.", "Your keys can be read on their way.", "Change it to https://…"
        ),
    },
    "vendor-path": {
        "vi": Words(
            "CPAAS_BASE_URL có cả đường dẫn /vendor/….",
            "Bot tự nối /api/vendor/v1/zalo/… vào sau, nên địa chỉ bị lặp và gọi không được.",
            "Chỉ ghi phần đầu, ví dụ https://cpaas.interits.com",
        ),
        "en": Words(
            "CPAAS_BASE_URL contains the path /vendor/….",
            "The bot appends /api/vendor/v1/zalo/… itself, so the address would be wrong.",
            "Give the beginning only, as in https://cpaas.interits.com",
        ),
    },
    "auth-off": {
        "vi": Words(
            "WEBHOOK_AUTH=off: không kiểm tra ai gửi sự kiện.",
            "Chỉ nên dùng để thử trên máy của bạn.",
            "Khi chạy thật, bỏ dòng này để dùng chữ ký của Zalo.",
        ),
        "en": Words(
            "WEBHOOK_AUTH=off: events are not authenticated.",
            "This is for trying things out on your own machine.",
            "Remove the line in production; Zalo's signature is checked then.",
        ),
    },
    "short-token": {
        "vi": Words(
            "WEBHOOK_TOKEN ngắn hơn {shortest} ký tự.",
            "Ai đoán được thì gửi được sự kiện giả.",
            "Đặt một chuỗi ngẫu nhiên dài hơn, rồi sửa địa chỉ webhook theo.",
        ),
        "en": Words(
            "WEBHOOK_TOKEN has fewer than {shortest} characters.",
            "Whoever guesses it can send false events.",
            "Choose a longer random one, and change the webhook URL with it.",
        ),
    },
    "env-readable": {
        "vi": Words(
            "{file}: người dùng khác trên máy này cũng đọc được.", "Trong đó có khóa.", "Chạy: chmod 600 {file}"
        ),
        "en": Words("{file}: other users of this machine can read it.", "It holds keys.", "Run: chmod 600 {file}"),
    },
    "clock": {
        "vi": Words("Đồng hồ khớp với máy của nhà cung cấp."),
        "en": Words("The clock agrees with the vendor's."),
    },
    "clock-wrong": {
        "vi": Words(
            "Đồng hồ lệch {seconds} giây so với máy của nhà cung cấp.",
            "Giờ hoạt động của luật, thời gian chờ và hạn 48 giờ sẽ tính sai.",
            "Bật đồng bộ giờ trên máy này (timedatectl set-ntp true).",
        ),
        "en": Words(
            "The clock differs from the vendor's by {seconds} seconds.",
            "The hours of rules, cooldowns and the 48 hours for a reply are measured wrongly.",
            "Switch on time synchronisation (timedatectl set-ntp true).",
        ),
    },
    "clock-unknown": {
        "vi": Words("Chưa so được đồng hồ: nhà cung cấp không cho biết giờ."),
        "en": Words("The clock could not be compared: no time came from the vendor."),
    },
    "rules": {
        "vi": Words("{file}: dùng được, có {count} luật."),
        "en": Words("{file}: usable; it holds {count} rule(s)."),
    },
    "rules-warnings": {
        "vi": Words(
            "{file}: dùng được, có {count} luật và {warnings} lưu ý.",
            "Một số tin nhắn có thể được trả lời khác với ý bạn.",
            "Xem từng lưu ý: bot check {file}",
        ),
        "en": Words(
            "{file}: usable; it holds {count} rule(s), with {warnings} warning(s).",
            "Some messages may be answered in another way than you mean.",
            "See them with: bot check {file}",
        ),
    },
    "rules-errors": {
        "vi": Words(
            "{file}: có {count} lỗi.",
            "Bot không dùng bản này; nó giữ bản tốt gần nhất, hoặc không khởi động nếu chưa có bản nào.",
            "Xem từng lỗi và cách sửa: bot check {file}",
        ),
        "en": Words(
            "{file}: {count} error(s).",
            "The bot keeps the last good rules, or does not start if there are none.",
            "See each and how to mend it: bot check {file}",
        ),
    },
    "rules-absent": {
        "vi": Words(
            "{file}: không có tệp này.",
            "Không có luật thì bot không biết trả lời gì.",
            "Xem lại RULES_FILE, và chạy lệnh này trong thư mục của bot.",
        ),
        "en": Words(
            "{file}: there is no such file.",
            "Without rules there is nothing to answer with.",
            "Look at RULES_FILE, and run this command in the bot's directory.",
        ),
    },
    "rules-unreadable": {
        "vi": Words(
            "{file}: không đọc được ({reason}).",
            "Không có luật thì bot không biết trả lời gì.",
            "Cho người dùng chạy bot quyền đọc tệp này.",
        ),
        "en": Words(
            "{file}: cannot be read ({reason}).",
            "Without rules there is nothing to answer with.",
            "Let the bot's user read it.",
        ),
    },
    "publish": {
        "vi": Words("CONSOLE_PUBLISH: người soạn luật được thay {file} từ trang /console."),
        "en": Words("CONSOLE_PUBLISH: editors may replace {file} from /console."),
    },
    "publish-no-directory": {
        "vi": Words(
            "CONSOLE_PUBLISH: bot không ghi được vào thư mục {directory}.",
            "Bot thay {file} bằng cách ghi một tệp mới bên cạnh rồi đổi tên, nên cần quyền ghi vào cả thư mục.",
            "Cho người dùng chạy bot quyền ghi vào {directory}, hoặc đặt CONSOLE_PUBLISH=false.",
        ),
        "en": Words(
            "CONSOLE_PUBLISH: the bot may not write in {directory}.",
            "It replaces {file} by writing another one beside it and renaming that, so it must write in the directory.",
            "Let the bot's user write in {directory}, or set CONSOLE_PUBLISH=false.",
        ),
    },
}
