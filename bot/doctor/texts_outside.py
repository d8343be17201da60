"""What `bot doctor` says of the vendor, of the webhook, and of what only a person can look at."""

from __future__ import annotations

from typing import Final

from bot.doctor.texts import Texts, Words

OUTSIDE: Final[Texts] = {
    "vendor-no-key": {
        "vi": Words("Chưa thử gọi: chưa có CPAAS_API_KEY."),
        "en": Words("Not tried: CPAAS_API_KEY is missing."),
    },
    "vendor-tls": {
        "vi": Words(
            "{host}: kết nối bảo mật (TLS) không thành công.",
            "Bot từ chối gửi khóa qua một kết nối không tin được.",
            "Xem lại CPAAS_BASE_URL, ngày giờ của máy và chứng chỉ gốc (gói ca-certificates).",
        ),
        "en": Words(
            "{host}: no secure connection (TLS).",
            "Keys are not sent over a connection that cannot be trusted.",
            "Look at CPAAS_BASE_URL, at this machine's date, and at its root certificates (package ca-certificates).",
        ),
    },
    "vendor-name": {
        "vi": Words(
            "{host}: không tìm thấy máy chủ có tên này.",
            "Không gọi được nhà cung cấp thì không gửi được ảnh.",
            "Xem có gõ sai CPAAS_BASE_URL không, và máy này có ra được Internet (DNS) không.",
        ),
        "en": Words(
            "{host}: there is no server of that name.",
            "No picture can be sent without the vendor.",
            "See whether CPAAS_BASE_URL is spelt right, and whether this machine reaches the internet (DNS).",
        ),
    },
    "vendor-timeout": {
        "vi": Words(
            "{host}: không trả lời kịp.",
            "Bot sẽ gửi lại sau, nhưng khách phải đợi.",
            "Thử lại sau ít phút; nếu vẫn vậy, xem tường lửa hoặc hỏi nhà cung cấp.",
        ),
        "en": Words(
            "{host}: no answer in time.",
            "The bot tries again later, and customers wait.",
            "Try again in a few minutes; then look at the firewall, or ask the vendor.",
        ),
    },
    "vendor-silent": {
        "vi": Words(
            "{host}: không kết nối được ({reason}).",
            "Không gọi được nhà cung cấp thì không gửi được ảnh.",
            "Xem lại CPAAS_BASE_URL, tường lửa và proxy của máy này.",
        ),
        "en": Words(
            "{host}: no connection ({reason}).",
            "No picture can be sent without the vendor.",
            "Look at CPAAS_BASE_URL, and at this machine's firewall and proxy.",
        ),
    },
    "vendor-reached": {
        "vi": Words("{host}: gọi được."),
        "en": Words("{host}: reached."),
    },
    "vendor-no-such-path": {
        "vi": Words(
            "Trả lời HTTP {status}: ở địa chỉ này không có chỗ gửi ảnh.",
            "CPAAS_BASE_URL có lẽ là của trang khác.",
            "Ghi lại địa chỉ nhà cung cấp đưa, ví dụ https://cpaas.interits.com",
        ),
        "en": Words(
            "It answers HTTP {status}: pictures are not taken at this address.",
            "CPAAS_BASE_URL is probably that of another site.",
            "Set the address that the vendor gave you, as in https://cpaas.interits.com",
        ),
    },
    "vendor-refuses": {
        "vi": Words(
            "Từ chối khóa của bạn: HTTP {status} {words}",
            "Không ảnh nào gửi được cho tới khi khóa đúng.",
            "Chép lại CPAAS_API_KEY và CPAAS_ACCESS_TOKEN từ trang của nhà cung cấp. Nếu tài khoản của bạn chỉ dùng"
            " API-KEY thì đặt CPAAS_API_KEY_ONLY=true.",
        ),
        "en": Words(
            "It refuses your credentials: HTTP {status} {words}",
            "No picture can be sent until they are right.",
            "Copy CPAAS_API_KEY and CPAAS_ACCESS_TOKEN from the vendor's portal again. If your account uses API-KEY"
            " alone, set CPAAS_API_KEY_ONLY=true.",
        ),
    },
    "vendor-other-way": {
        "vi": Words(
            "Từ chối cách xác thực đang dùng (HTTP {status} {words}), nhưng chấp nhận cách kia.",
            "Tài khoản cũ cần đủ API-KEY, accessToken và Authorization; tài khoản mới chỉ dùng API-KEY.",
            "Đặt CPAAS_API_KEY_ONLY={key_only}",
        ),
        "en": Words(
            "It refuses how you prove yourself (HTTP {status} {words}), and accepts the other way.",
            "Older accounts need API-KEY, accessToken and Authorization; on newer ones API-KEY stands alone.",
            "Set CPAAS_API_KEY_ONLY={key_only}",
        ),
    },
    "vendor-trouble": {
        "vi": Words(
            "Nhà cung cấp đang gặp sự cố: HTTP {status} {words}",
            "Lúc này chưa biết khóa có đúng không; tin nhắn sẽ chờ và được gửi lại.",
            "Chạy lại lệnh này sau ít phút.",
        ),
        "en": Words(
            "The vendor has trouble of its own: HTTP {status} {words}",
            "Whether the credentials are right cannot be told now; events wait and are sent later.",
            "Run this again in a few minutes.",
        ),
    },
    "vendor-odd": {
        "vi": Words(
            "Trả lời HTTP {status} cho một yêu cầu trống, nên không biết được khóa đúng hay sai. Không có ảnh nào được"
            " gửi.",
            todo="Nhắn thử một tin cho OA rồi xem: bot inbox",
        ),
        "en": Words(
            "It answers HTTP {status} to an empty request, which does not tell whether the credentials are right."
            " No picture was sent.",
            todo="Write to the OA to try it, then look: bot inbox",
        ),
    },
    "vendor-knows-us": {
        "vi": Words(
            "Nhận khóa của bạn: yêu cầu trống với khóa thật chỉ bị chê là thiếu nội dung (HTTP {status}), còn với khóa"
            " giả thì bị từ chối. Cách xác thực được chấp nhận: {ways}. OA có được phép gửi hay không thì phải gửi thật"
            " mới biết."
        ),
        "en": Words(
            "Your credentials are accepted: an empty request with them is only refused for its content (HTTP {status}),"
            " and with wrong ones for these. It accepts: {ways}. Whether the OA may send, only a real message shows."
        ),
    },
    "vendor-does-not-tell": {
        "vi": Words(
            "Không từ chối khóa của bạn (HTTP {status}), nhưng cũng không từ chối khóa giả: chưa biết khóa có đúng"
            " không.",
            todo="Nhắn thử một tin cho OA rồi xem: bot inbox",
        ),
        "en": Words(
            "Your credentials are not refused (HTTP {status}), but neither are wrong ones: this proves nothing.",
            todo="Write to the OA to try it, then look: bot inbox",
        ),
    },
    "webhook-not-given": {
        "vi": Words(
            "Chưa kiểm tra địa chỉ webhook.",
            todo="Chạy: bot doctor --url https://… với đúng địa chỉ bạn đã nhập cho Zalo.",
        ),
        "en": Words(
            "The webhook URL was not looked at.",
            todo="Run: bot doctor --url https://… with the URL that you gave to Zalo.",
        ),
    },
    "webhook-no-https": {
        "vi": Words("Địa chỉ không phải https.", "Zalo chỉ nhận địa chỉ https.", "Cài chứng chỉ cho tên miền."),
        "en": Words("The address is not https.", "Zalo takes https only.", "Get a certificate for the domain."),
    },
    "webhook-no-domain": {
        "vi": Words(
            "Địa chỉ có số cổng hoặc là số IP.",
            "Zalo chỉ nhận địa chỉ là tên miền, không có số cổng.",
            "Đặt một máy chủ web (Caddy, nginx) phía trước, ở cổng 443 của tên miền.",
        ),
        "en": Words(
            "The address has a port or is a number.",
            "Zalo takes a domain name without a port.",
            "Put a web server (Caddy, nginx) in front, on port 443 of the domain.",
        ),
    },
    "webhook-tls": {
        "vi": Words(
            "{url}: chứng chỉ không hợp lệ.",
            "Zalo sẽ không gửi sự kiện tới đây.",
            "Cài chứng chỉ còn hạn, đúng tên miền và đủ chuỗi trung gian (Let's Encrypt là được).",
        ),
        "en": Words(
            "{url}: the certificate is not valid.",
            "Zalo will not deliver here.",
            "Install one that has not expired, for this name, with its chain (Let's Encrypt will do).",
        ),
    },
    "webhook-name": {
        "vi": Words(
            "{url}: tên miền này chưa trỏ về đâu.",
            "Zalo không tìm được bot.",
            "Xem lại bản ghi DNS, hoặc địa chỉ đường hầm (tunnel) đã đổi.",
        ),
        "en": Words(
            "{url}: the name leads nowhere.",
            "Zalo cannot find the bot.",
            "Look at the DNS record, or whether the tunnel's address has changed.",
        ),
    },
    "webhook-timeout": {
        "vi": Words(
            "{url}: không trả lời kịp.", "Zalo chỉ đợi 2 giây.", "Xem bot có đang chạy không, và tường lửa có mở không."
        ),
        "en": Words(
            "{url}: no answer in time.", "Zalo waits two seconds.", "See whether the bot runs and the firewall is open."
        ),
    },
    "webhook-silent": {
        "vi": Words(
            "{url}: không kết nối được ({reason}).",
            "Zalo cũng sẽ không gửi sự kiện tới được.",
            "Xem bot và máy chủ web phía trước có đang chạy không.",
        ),
        "en": Words(
            "{url}: no connection ({reason}).",
            "Zalo will not get through either.",
            "See whether the bot, and the web server in front of it, are running.",
        ),
    },
    "webhook-get": {
        "vi": Words("{url}: mở được."),
        "en": Words("{url}: it answers."),
    },
    "webhook-get/not": {
        "vi": Words(
            "{url}: trả lời HTTP {status}, lẽ ra phải là 200.",
            "Có thể địa chỉ này không dẫn tới bot.",
            "Xem lại đường dẫn (/webhook, hoặc /webhook/<token> với WEBHOOK_AUTH=token) và máy chủ web phía trước.",
        ),
        "en": Words(
            "{url}: HTTP {status} in place of 200.",
            "The address may not lead to the bot.",
            "Look at the path (/webhook, or /webhook/<token> with WEBHOOK_AUTH=token) and at the web server in front.",
        ),
    },
    "webhook-probe": {
        "vi": Words("Lời gọi thử của Zalo ({{}} không chữ ký) được nhận."),
        "en": Words("The probe of Zalo's console ({{}}, unsigned) is accepted."),
    },
    "webhook-probe/not": {
        "vi": Words(
            "Lời gọi thử của Zalo ({{}} không chữ ký) bị trả lời HTTP {status}.",
            "Trang của Zalo sẽ không cho lưu địa chỉ này.",
            "Máy chủ web phía trước phải chuyển nguyên vẹn yêu cầu POST tới bot, không chuyển hướng, không đòi đăng"
            " nhập.",
        ),
        "en": Words(
            "The probe of Zalo's console ({{}}, unsigned) gets HTTP {status}.",
            "The console will not save this address.",
            "What stands in front must hand a POST on to the bot as it is, without redirect or log-in.",
        ),
    },
    "webhook-slow": {
        "vi": Words(
            "Trả lời mất {seconds} giây.",
            "Quá 2 giây thì Zalo coi là lỗi, và sau nhiều lỗi sẽ tắt webhook.",
            "Xem máy và đường truyền có quá tải không.",
        ),
        "en": Words(
            "An answer took {seconds} seconds.",
            "After two, Zalo counts it as failed, and after many failures it switches the webhook off.",
            "See whether the machine or its line is overloaded.",
        ),
    },
    "webhook-forged": {
        "vi": Words("Sự kiện giả bị từ chối (HTTP {status})."),
        "en": Words("A forged event is refused (HTTP {status})."),
    },
    "webhook-forged/not": {
        "vi": Words(
            "Sự kiện giả được trả lời HTTP {status}, lẽ ra phải là 401.",
            "Nếu là 200 thì ai cũng có thể sai bot gửi ảnh; nếu là số khác thì có máy khác trả lời thay bot.",
            "Bỏ WEBHOOK_AUTH=off; xem máy chủ web phía trước có chuyển đúng tới bot không.",
        ),
        "en": Words(
            "A forged event gets HTTP {status} in place of 401.",
            "If it is 200, anybody can make the bot send; otherwise something else answers for the bot.",
            "Remove WEBHOOK_AUTH=off; see whether what stands in front hands requests on to the bot.",
        ),
    },
    "webhook-verifier": {
        "vi": Words("Tệp xác thực tên miền có ở {path}."),
        "en": Words("The file for Zalo's domain check is at {path}."),
    },
    "webhook-verifier/not": {
        "vi": Words(
            "Không thấy tệp xác thực tên miền ở {path} (HTTP {status}).",
            "Zalo không xác thực được tên miền.",
            "Khởi động lại bot sau khi đặt ZALO_VERIFIER; máy chủ web phía trước phải chuyển cả đường dẫn này.",
        ),
        "en": Words(
            "The file for Zalo's domain check is not at {path} (HTTP {status}).",
            "Zalo cannot verify the domain.",
            "Restart the bot after setting ZALO_VERIFIER; what stands in front must hand on this path too.",
        ),
    },
    "syntax-filter": {
        "vi": Words("Trang Webhook của ứng dụng Zalo: «Lọc cú pháp» phải TẮT; bật thì chỉ tin bắt đầu bằng # tới bot."),
        "en": Words(
            'Webhook page of the Zalo app: "Lọc cú pháp" (syntax filter) must be OFF; otherwise only texts that'
            " begin with # reach the bot."
        ),
    },
    "syntax-filter/on": {
        "vi": Words(
            "Cả {count} tin nhắn gần nhất đều bắt đầu bằng #: có lẽ «Lọc cú pháp» đang BẬT.",
            "Khi đó Zalo chỉ chuyển cho bot những tin bắt đầu bằng #; các tin khác không được trả lời.",
            "Mở trang Webhook của ứng dụng Zalo và tắt «Lọc cú pháp».",
        ),
        "en": Words(
            'The latest {count} texts all begin with #: "Lọc cú pháp" (syntax filter) is probably ON.',
            "Zalo then passes on only such texts, and nobody else gets an answer.",
            'Open the Webhook page of the Zalo app and switch "Lọc cú pháp" off.',
        ),
    },
    "own-replies/seen": {
        "vi": Words(
            "Trong 7 ngày qua OA tự gửi {count} tin không phải của bot, cũng không phải của nhân viên.",
            "Có lẽ OA Manager đang tự trả lời theo từ khóa: khách nhận hai câu trả lời.",
            "Tắt trả lời tự động trong OA Manager, hoặc bỏ từ khóa đó ở một trong hai nơi.",
        ),
        "en": Words(
            "In the last 7 days the OA sent {count} message(s) that are neither this bot's nor a person's.",
            "OA Manager probably answers keywords as well: customers get two answers.",
            "Switch the automatic replies of OA Manager off, or keep each keyword in one of the two places.",
        ),
    },
    "own-replies": {
        "vi": Words("OA Manager: tắt trả lời tự động theo từ khóa của chính Zalo, kẻo khách nhận hai câu trả lời."),
        "en": Words("OA Manager: switch Zalo's own keyword replies off, or customers get two answers."),
    },
    "events-on": {
        "vi": Words("Trang Webhook: bật từng sự kiện mà luật của bạn dùng (người dùng gửi tin nhắn, quan tâm OA…)."),
        "en": Words("Webhook page: switch on each event that your rules answer (user sends a message, follows…)."),
    },
    "which-secret/no-event": {
        "vi": Words(
            "Bot chưa nhận được sự kiện nào.",
            "Nếu bạn đã nhắn thử cho OA thì sự kiện không tới nơi, hoặc bị từ chối vì sai khóa (lỗi 401).",
            "Chạy bot doctor --url …, và so ZALO_OA_SECRET_KEY với «OA Secret Key» ở trang Webhook (không phải «App"
            " Secret Key»).",
        ),
        "en": Words(
            "No event has ever come in.",
            "If somebody has written to the OA, events do not get here or are refused with 401 for a wrong key.",
            "Run bot doctor --url …, and compare ZALO_OA_SECRET_KEY with the OA Secret Key of the Webhook page (not the"
            " App Secret Key).",
        ),
    },
    "which-secret": {
        "vi": Words(
            "ZALO_OA_SECRET_KEY phải là «OA Secret Key» ở trang Webhook, không phải «App Secret Key». Nhầm khóa thì mọi"
            " tin nhắn bị từ chối với lỗi 401."
        ),
        "en": Words(
            "ZALO_OA_SECRET_KEY is the OA Secret Key of the Webhook page, not the App Secret Key. With the wrong one,"
            " every event is refused with 401."
        ),
    },
}
