"""What editors are told about the values of single fields, in Vietnamese and in English."""

from __future__ import annotations

from typing import Final

FIELDS: Final[dict[str, tuple[str, str]]] = {
    "empty-text": (
        "đoạn chữ này trống; hãy điền vào hoặc xóa đi",
        "this text is empty; fill it in or delete it",
    ),
    "bad-version": (
        'version phải là 1, không phải "{word}"; hãy viết: version: 1',
        'version must be 1, not "{word}"; write: version: 1',
    ),
    "bad-id": (
        'id "{word}" không dùng được; chỉ dùng a-z, 0-9 và dấu -, ví dụ bang-gia',
        'the id "{word}" cannot be used; only a-z, 0-9 and - are allowed, as in bang-gia',
    ),
    "bad-id/near": (
        'id "{word}" chỉ được có a-z, 0-9 và dấu - (không dấu, không viết hoa, không dấu cách); hãy viết: {near}',
        'the id "{word}" may have only a-z, 0-9 and - (no marks, capitals or spaces); write: {near}',
    ),
    "bad-id/long": (
        "id dài {size} ký tự, tối đa là {limit}; hãy đặt tên ngắn hơn",
        "the id is {size} characters long, the limit is {limit}; choose a shorter one",
    ),
    "duplicate-id": (
        'id "{word}" đã dùng cho luật ở dòng {line}; mỗi luật cần một id riêng',
        'the id "{word}" is taken by the rule on line {line}; every rule needs its own',
    ),
    "bad-boolean": (
        '"{word}" không hợp lệ; chỉ nhận true (bật) hoặc false (tắt)',
        '"{word}" is not valid here; write true or false',
    ),
    "bad-boolean/near": (
        'hãy viết {near} thay cho "{word}"; ở đây chỉ nhận true (bật) hoặc false (tắt)',
        'write {near} instead of "{word}"; only true and false are valid here',
    ),
    "bad-number": (
        '"{word}" không hợp lệ; hãy viết một số nguyên từ {low} đến {high}',
        '"{word}" is not valid here; write a whole number from {low} to {high}',
    ),
    "unknown-event": (
        'không có sự kiện "{word}"; chỉ có {known}',
        'unknown event "{word}"; the events are {known}',
    ),
    "unknown-event/near": (
        'không có sự kiện "{word}"; ý bạn là "{near}"?',
        'unknown event "{word}"; did you mean "{near}"?',
    ),
    "unknown-match": (
        'không có kiểu khớp "{word}"; chỉ có {known}',
        'unknown kind of match "{word}"; the kinds are {known}',
    ),
    "unknown-match/near": (
        'không có kiểu khớp "{word}"; ý bạn là "{near}"?',
        'unknown kind of match "{word}"; did you mean "{near}"?',
    ),
    "unknown-day": (
        'không có ngày "{word}"; hãy viết {known} (mon là thứ hai, sun là chủ nhật)',
        'unknown day "{word}"; the days are {known}',
    ),
    "unknown-day/near": (
        'không có ngày "{word}"; hãy viết: {near} (mon là thứ hai, sun là chủ nhật)',
        'unknown day "{word}"; write: {near}',
    ),
    "unknown-timezone": (
        'không có múi giờ "{word}"; ở Việt Nam hãy viết: Asia/Ho_Chi_Minh',
        'unknown time zone "{word}"; for Vietnam write Asia/Ho_Chi_Minh',
    ),
    "unknown-timezone/near": (
        'không có múi giờ "{word}"; hãy viết: {near}',
        'unknown time zone "{word}"; write: {near}',
    ),
    "bad-date": (
        '"{word}" không phải ngày; hãy viết năm-tháng-ngày, ví dụ 2027-01-20',
        '"{word}" is not a date; write year-month-day, as in 2027-01-20',
    ),
    "bad-date/near": (
        'ngày "{word}" phải viết theo kiểu năm-tháng-ngày: {near}',
        'write the date "{word}" as year-month-day: {near}',
    ),
    "bad-date/none": (
        'không có ngày "{word}" trong lịch; hãy viết năm-tháng-ngày, ví dụ 2027-01-20',
        'there is no day "{word}" in the calendar; write year-month-day, as in 2027-01-20',
    ),
    "date-order": (
        'ngày kết thúc "{last}" sớm hơn ngày bắt đầu "{first}"; hãy xem lại hai ngày này',
        'the last day "{last}" comes before the first day "{first}"; correct one of them',
    ),
    "bad-hours": (
        'khung giờ "{word}" không đọc được; hãy viết kiểu "08:00-21:30"',
        'the hours "{word}" cannot be read; write them as "08:00-21:30"',
    ),
    "bad-hours/near": (
        'khung giờ "{word}" phải viết là "{near}"',
        'write the hours "{word}" as "{near}"',
    ),
    "bad-hours/none": (
        'khung giờ "{word}" bắt đầu và kết thúc cùng lúc; muốn cả ngày thì xóa mục hours',
        'the hours "{word}" begin and end at the same time; for the whole day, delete hours',
    ),
    "bad-duration": (
        '"{word}" không phải khoảng thời gian; hãy viết kiểu 30s (giây), 10m (phút), 2h (giờ), 1d (ngày)',
        '"{word}" is not a length of time; write it as 30s, 10m, 2h or 1d',
    ),
    "bad-duration/near": (
        'khoảng thời gian "{word}" phải viết là {near} (s giây, m phút, h giờ, d ngày)',
        'write the length of time "{word}" as {near}',
    ),
    "bad-duration/range": (
        'khoảng thời gian "{word}" phải lớn hơn 0 và không quá {limit} ngày',
        'the length of time "{word}" must be more than 0 and at most {limit} days',
    ),
    "bad-oa": (
        'mã OA "{word}" chỉ được gồm chữ số, ví dụ 388613280878808645',
        'the OA id "{word}" may have only digits, as in 388613280878808645',
    ),
    "bad-oa/excel": (
        'mã OA "{word}" đã bị Excel rút gọn và mất các số cuối; hãy chép lại mã đầy đủ từ trang quản lý OA',
        'Excel has shortened the OA id "{word}" and lost its last digits; copy the full id from OA Manager',
    ),
    "flat-groups": (
        "all_of là danh sách của các nhóm từ, mỗi nhóm trong ngoặc vuông; hãy viết: all_of: {near}",
        "all_of is a list of groups, each in brackets of its own; write: all_of: {near}",
    ),
    "no-keywords": (
        "luật này chưa nói khi nào thì trả lời; hãy thêm keywords: [bảng giá] (hoặc all_of, pattern)",
        "this rule does not say when to answer; add keywords: [bảng giá] (or all_of, or pattern)",
    ),
    "event-with-keywords": (
        'luật có "on: {event}" không đọc chữ của khách nên không dùng được "{key}"; hãy xóa mục này hoặc dòng "on"',
        'a rule with "on: {event}" reads no text, so "{key}" means nothing; delete it, or the line "on"',
    ),
    "comma-keyword": (
        "đây là một từ khóa duy nhất có dấu phẩy bên trong; nếu là nhiều từ khóa, hãy tách ra: {near}",
        "this is one single keyword with a comma inside; if it is several, separate them: {near}",
    ),
    "comma-keyword/quoted": (
        "trong dấu nháy này là một từ khóa duy nhất; nếu là nhiều từ khóa, hãy tách ra: {near}",
        "between these quotes is one single keyword; if it is several, separate them: {near}",
    ),
    "no-image": (
        'chưa có ảnh; hãy thêm image_url: "https://…", hoặc file: tên-ảnh.jpg nếu ảnh nằm cạnh tệp luật',
        'there is no picture; add image_url: "https://…", or file: name.jpg for a picture beside the rules file',
    ),
    "two-images": (
        'một ảnh chỉ có "{first}" hoặc "{second}", không có cả hai; muốn gửi hai ảnh, hãy viết thành hai mục "- "',
        'a picture has "{first}" or "{second}", not both; to send two pictures, write two items with "- "',
    ),
    "bare-link": (
        "trước đường dẫn ảnh phải có image_url; hãy viết: {{{near}}}",
        "image_url is missing before the link; write: {{{near}}}",
    ),
    "text-reply": (
        'bot này chỉ trả lời bằng ảnh, không gửi chữ "{word}"; hãy viết reply: {{image_url: "https://…"}}',
        'this bot answers with pictures only, not with "{word}"; write reply: {{image_url: "https://…"}}',
    ),
    "http-url": (
        "đường dẫn ảnh phải bắt đầu bằng https; hãy thử: {near}",
        "the link must begin with https; try: {near}",
    ),
    "url-no-scheme": (
        "đường dẫn ảnh phải bắt đầu bằng https://; hãy viết: {near}",
        "the link must begin with https://; write: {near}",
    ),
    "url-space": (
        "đường dẫn ảnh không được có dấu cách; hãy chép lại đường dẫn, hoặc viết: {near}",
        "a link has no spaces; copy it again, or write: {near}",
    ),
    "bad-url": (
        '"{word}" không phải đường dẫn ảnh; hãy viết đầy đủ, ví dụ https://shop.example/bang-gia.jpg',
        '"{word}" is not a link to a picture; write all of it, as in https://shop.example/bang-gia.jpg',
    ),
    "page-link": (
        "đường dẫn {site} này mở ra một trang web chứ không phải tệp ảnh, Zalo không lấy được; hãy đưa ảnh lên nơi có "
        "đường dẫn kết thúc bằng .jpg hoặc .png",
        "this {site} link opens a web page, not the picture itself, and Zalo cannot fetch it; put the picture where "
        "its link ends in .jpg or .png",
    ),
    "page-link/dropbox": (
        "đường dẫn Dropbox này mở ra một trang web chứ không phải tệp ảnh; hãy viết: {near}",
        "this Dropbox link opens a web page, not the picture itself; write: {near}",
    ),
    "page-link/html": (
        '"{word}" là trang web, không phải ảnh; hãy bấm chuột phải vào ảnh, chọn Sao chép địa chỉ hình ảnh',
        '"{word}" is a web page, not a picture; right-click the picture and copy the address of the image',
    ),
    "page-link/home": (
        '"{word}" là trang chủ của một trang web, không phải ảnh; đường dẫn ảnh thường kết thúc bằng .jpg hoặc .png',
        '"{word}" is the front page of a site, not a picture; links of pictures usually end in .jpg or .png',
    ),
    "not-jpeg-png": (
        'Zalo chỉ nhận ảnh JPG hoặc PNG, không nhận "{word}"; hãy lưu ảnh lại thành .jpg hoặc .png',
        'Zalo takes only JPG and PNG pictures, not "{word}"; save the picture as .jpg or .png',
    ),
    "url-expires": (
        "đường dẫn loại này tự hết hạn sau vài giờ hoặc vài ngày; hãy đưa ảnh lên nơi lưu lâu dài",
        "links like this stop working after some hours or days; put the picture where it can stay",
    ),
    "url-placeholder": (
        "đường dẫn này còn dấu “…” của ví dụ; hãy thay bằng đường dẫn thật của ảnh",
        "this link still has the “…” of the sample; put in the real link of the picture",
    ),
    "url-private": (
        "chỉ máy hoặc mạng của bạn mở được đường dẫn này, Zalo thì không; hãy đưa ảnh lên Internet",
        "only your own computer or network can open this link, Zalo cannot; put the picture on the internet",
    ),
    "url-marks": (
        "đường dẫn có chữ có dấu, có nơi không mở được; nên đặt lại tên tệp ảnh không dấu",
        "the link has letters with marks, which not every server opens; rename the picture without marks, to be safe",
    ),
    "uploaded-alone": (
        '"uploaded" chỉ đi cùng "attachment_id"; ảnh này không cần, hãy xóa dòng đó',
        '"uploaded" belongs to "attachment_id"; this picture does not need it, delete it',
    ),
    "weight-alone": (
        '"weight" chỉ có nghĩa trong "one_of"; hãy xóa đi hoặc đưa các ảnh vào one_of',
        '"weight" means something only inside "one_of"; delete it, or put the pictures into one_of',
    ),
    "attachment-is-link": (
        "đây là đường dẫn chứ không phải mã ảnh; hãy dùng image_url thay cho attachment_id",
        "this is a link, not the id of a picture; use image_url instead of attachment_id",
    ),
    "attachment-space": (
        'mã ảnh "{word}" không được có dấu cách; hãy chép lại cho đúng',
        'the id "{word}" of the picture may have no spaces; copy it again',
    ),
}
