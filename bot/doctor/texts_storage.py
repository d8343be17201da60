"""What `bot doctor` says of the database and of what waits in it."""

from __future__ import annotations

from typing import Final

from bot.doctor.texts import Texts, Words

DATABASE: Final[Texts] = {
    "db-address": {
        "vi": Words(
            "DATABASE_URL: không đọc được địa chỉ.",
            "Không có cơ sở dữ liệu thì bot không khởi động.",
            "Viết theo mẫu sqlite:///bot.db hoặc postgresql://tên:mật-khẩu@máy/tên-csdl; ký tự đặc biệt trong mật khẩu"
            " phải mã hóa kiểu %40.",
        ),
        "en": Words(
            "DATABASE_URL: the address cannot be read.",
            "The bot does not start without a database.",
            "Write it as sqlite:///bot.db or postgresql://name:password@host/database; special characters of the"
            " password are written as in %40.",
        ),
    },
    "db-absent": {
        "vi": Words("{file}: chưa có; bot sẽ tạo khi khởi động lần đầu."),
        "en": Words("{file}: not there yet; the bot makes it at its first start."),
    },
    "db-no-directory": {
        "vi": Words(
            "{file}: chưa có, và không tạo được trong {directory}.",
            "Bot phải ghi lại tin nhắn trước khi báo đã nhận.",
            "Tạo thư mục đó và cho người dùng chạy bot quyền ghi.",
        ),
        "en": Words(
            "{file}: not there, and it cannot be made in {directory}.",
            "The bot stores each event before it acknowledges it.",
            "Make the directory, and let the bot's user write there.",
        ),
    },
    "db-unreadable": {
        "vi": Words(
            "{file}: không mở được như một tệp SQLite.",
            "Bot sẽ không khởi động, và tin nhắn trong đó chưa được trả lời.",
            "Kiểm tra quyền đọc và đường dẫn trong DATABASE_URL. Nếu tệp bị hỏng, khôi phục từ bản sao lưu.",
        ),
        "en": Words(
            "{file}: cannot be opened as a SQLite file.",
            "The bot does not start, and what waits in it is not answered.",
            "Look at the permissions and at DATABASE_URL. If the file is damaged, restore it from a backup.",
        ),
    },
    "db-size": {
        "vi": Words("Dung lượng: {used}; ổ đĩa còn trống {free}."),
        "en": Words("Size: {used}; {free} of the disk is free."),
    },
    "db-disk-full": {
        "vi": Words(
            "Ổ đĩa chỉ còn trống {free} (cơ sở dữ liệu chiếm {used}).",
            "Hết chỗ thì bot không nhận được tin nhắn nữa.",
            "Dọn bớt ổ đĩa, hoặc giảm RETENTION.",
        ),
        "en": Words(
            "Only {free} of the disk is free (the database has {used}).",
            "Without room, no event can be taken.",
            "Free some space, or lower RETENTION.",
        ),
    },
    "db-wal": {"vi": Words("SQLite đang ở chế độ WAL."), "en": Words("SQLite is in WAL mode.")},
    "db-no-wal": {
        "vi": Words(
            "SQLite không ở chế độ WAL mà là «{mode}»; chưa xem bên trong.",
            "Bot tự bật WAL khi khởi động. Nếu bot đã từng chạy, ổ đĩa này có thể là ổ mạng, và SQLite không an toàn"
            " trên đó.",
            "Để tệp trên ổ đĩa của chính máy này, hoặc dùng PostgreSQL.",
        ),
        "en": Words(
            'SQLite is not in WAL mode but in "{mode}"; the rest was not looked at.',
            "The bot switches WAL on at its start. If it has run already, this may be a network drive, on which SQLite"
            " is not safe.",
            "Keep the file on a disk of this machine, or use PostgreSQL.",
        ),
    },
    "db-empty": {
        "vi": Words("Chưa có bảng nào; bot sẽ tạo khi khởi động lần đầu."),
        "en": Words("There are no tables yet; the bot makes them at its first start."),
    },
    "db-version": {
        "vi": Words("Các bảng đúng phiên bản ({revision})."),
        "en": Words("The tables are of this version ({revision})."),
    },
    "db-older": {
        "vi": Words(
            "Các bảng ở phiên bản cũ {revision} (bản này cần {head}); chưa xem bên trong.",
            "Lần khởi động tới bot sẽ tự nâng cấp.",
            "Sao lưu cơ sở dữ liệu rồi khởi động lại bot.",
        ),
        "en": Words(
            "The tables are of an older version, {revision} (this one needs {head}); their content was not looked at.",
            "The next start brings them up to date.",
            "Back the database up, then restart the bot.",
        ),
    },
    "db-newer": {
        "vi": Words(
            "Các bảng ở phiên bản {revision} mà bản bot này không biết (nó dùng {head}).",
            "Bot bản cũ không dùng được cơ sở dữ liệu của bản mới hơn.",
            "Cập nhật bot, hoặc khôi phục bản sao lưu cũ.",
        ),
        "en": Words(
            "The tables are of version {revision}, which this bot does not know (it uses {head}).",
            "An older bot cannot use the database of a newer one.",
            "Update the bot, or restore an older backup.",
        ),
    },
    "db-read-only": {
        "vi": Words(
            "Không ghi được vào cơ sở dữ liệu.",
            "Bot phải ghi lại tin nhắn trước khi báo đã nhận; không ghi được thì Zalo nhận lỗi 503.",
            "Cho người dùng chạy bot quyền ghi vào tệp và thư mục; với PostgreSQL, xem lại quyền và máy chủ chính.",
        ),
        "en": Words(
            "The database cannot be written to.",
            "Each event is stored before it is acknowledged; without that, Zalo gets a 503.",
            "Let the bot's user write to the file and its directory; with PostgreSQL look at the grants, and whether"
            " this is the primary server.",
        ),
    },
    "db-writable": {"vi": Words("Ghi được."), "en": Words("It can be written to.")},
    "db-away": {
        "vi": Words(
            "Không kết nối được ({reason}).",
            "Không có cơ sở dữ liệu thì không tin nhắn nào được nhận.",
            "Kiểm tra máy chủ có đang chạy, và tên, mật khẩu trong DATABASE_URL.",
        ),
        "en": Words(
            "It does not answer ({reason}).",
            "Without the database no event can be taken.",
            "See whether the server runs, and look at the name and the password in DATABASE_URL.",
        ),
    },
    "db-waiting": {
        "vi": Words("{count} tin đang chờ trả lời."),
        "en": Words("Events that wait for their reply: {count}."),
    },
    "db-waiting-long": {
        "vi": Words(
            "{count} tin đang chờ trả lời, lâu nhất là {minutes} phút.",
            "Khách đang đợi; quá 48 giờ thì bot không trả lời nữa.",
            "Xem bot có đang chạy không và /readyz nói gì; xem các tin: bot inbox --status open",
        ),
        "en": Words(
            "Events that wait for their reply: {count}, the oldest for {minutes} minutes.",
            "Customers are waiting; after 48 hours they get no reply any more.",
            "See whether the bot runs and what /readyz says; look at them with: bot inbox --status open",
        ),
    },
    "db-dead": {
        "vi": Words(
            "{count} tin gửi hỏng: bot đã thử nhiều lần hoặc bị từ chối hẳn.",
            "Những khách đó chưa nhận được ảnh.",
            "Xem lý do: bot inbox --status dead. Sửa xong thì gửi lại: bot replay --dead",
        ),
        "en": Words(
            "Dead letters: {count}.",
            "These customers did not get their picture.",
            "See why: bot inbox --status dead. When it is mended, send them again: bot replay --dead",
        ),
    },
    "db-parked": {
        "vi": Words(
            "{count} tin không rõ ảnh đã tới khách hay chưa.",
            "Bot không tự gửi lại, vì khách có thể nhận hai lần.",
            "Xem: bot inbox --status parked. Nếu khách chưa nhận, gửi lại từng tin: bot replay ID",
        ),
        "en": Words(
            "Parked events: {count}. It is not known whether the picture went out.",
            "The bot does not repeat them by itself: the customer might get two.",
            "Look: bot inbox --status parked. Where none arrived, send it again: bot replay ID",
        ),
    },
    "db-closed": {
        "vi": Words(
            "OA {oa_id}: tạm ngừng gửi. Nhà cung cấp báo: {trouble}",
            "Tin nhắn của OA này đang chờ, không mất; bot tự thử lại.",
            "Xử lý điều nhà cung cấp báo (khóa hết hạn, hết tiền, OA chưa liên kết…).",
        ),
        "en": Words(
            "OA {oa_id}: nothing is sent at present. The vendor says: {trouble}",
            "Its events wait and are not lost; the bot keeps trying.",
            "Mend what the vendor says (an expired key, no credit, an OA that is not linked…).",
        ),
    },
}
