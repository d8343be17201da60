"""What editors are told about rules that get in each other's way, in Vietnamese and in English."""

from __future__ import annotations

from typing import Final

CLASHES: Final[dict[str, tuple[str, str]]] = {
    "never-wins": (
        'luật "{word}" không bao giờ được dùng: với mọi từ khóa của nó, luật "{other}" (dòng {line}) luôn được '
        "chọn {why}; hãy xóa luật này hoặc đổi từ khóa",
        'the rule "{word}" can never answer: all its keywords go to the rule "{other}" (line {line}) {why}; '
        "delete this rule or change its keywords",
    ),
    "same-keyword": (
        '"{word}" cũng là từ khóa của luật "{other}" (dòng {line}), và luật đó được chọn {why}; '
        "hãy bỏ ở một trong hai luật",
        '"{word}" is also a keyword of the rule "{other}" (line {line}), which wins {why}; '
        "delete it from one of the two",
    ),
    "losing-keyword": (
        'tin nhắn có "{word}" sẽ do luật "{other}" (dòng {line}) trả lời: luật đó có từ khóa "{its}" và priority '
        "cao hơn; hãy xem lại priority của hai luật",
        'messages with "{word}" go to the rule "{other}" (line {line}): it has the keyword "{its}" and a higher '
        "priority; check the priority of both",
    ),
    "why-priority": (
        "vì có priority cao hơn",
        "because its priority is higher",
    ),
    "why-first": (
        "vì được viết trước",
        "because it is written first",
    ),
    "why-unmarked": (
        "vì từ khóa ở đó viết không dấu",
        "because the keyword there has no marks",
    ),
    "twin-keyword": (
        'khi khách gõ không dấu, "{word}" giống hệt "{its}" của luật "{other}" (dòng {line}), và luật đó được '
        "chọn {why}; nên thêm chữ để phân biệt",
        'typed without marks, "{word}" looks the same as "{its}" of the rule "{other}" (line {line}), which answers '
        "{why}; more words would tell them apart",
    ),
    "everyday-keyword": (
        '"{word}" có trong hầu hết mọi tin nhắn nên luật này sẽ trả lời gần như tất cả; nên dùng cụm từ dài hơn',
        '"{word}" stands in nearly every message, so this rule would answer almost everything; use a longer phrase',
    ),
    "everyday-keyword/twin": (
        'khách gõ không dấu thì "{word}" giống hệt "{common}", chữ có trong hầu hết mọi tin nhắn; '
        "nên dùng cụm từ dài hơn",
        'typed without marks, "{word}" looks the same as "{common}", which stands in nearly every message; '
        "use a longer phrase",
    ),
    "redundant-keyword": (
        'không cần "{word}": từ khóa "{other}" đã nhận cả tin nhắn gõ không dấu; có thể xóa',
        '"{word}" is not needed: the keyword "{other}" also matches what is typed without marks; delete it',
    ),
    "redundant-keyword/same": (
        '"{word}" đã có ở dòng {line} của luật này; hãy xóa bớt một',
        '"{word}" is already there on line {line} of this rule; delete one of them',
    ),
    "literal-keyword": (
        '"{word}" chỉ khớp đúng chữ "{word}" không dấu; nếu ý bạn là "{near}", hãy viết có dấu: khách gõ "{near}" '
        'hay "{word}" đều khớp',
        '"{word}" matches only "{word}" without marks; if you mean "{near}", write it so: both "{near}" and "{word}" '
        "will match",
    ),
    "literal-keyword/unsure": (
        '"{word}" chỉ khớp đúng chữ "{word}" không dấu; nếu từ này có dấu, hãy viết đủ dấu: '
        "khách gõ không dấu vẫn khớp",
        '"{word}" matches only "{word}" without marks; if the word has marks, write them: customers who leave them '
        "out still match",
    ),
    "contains-keyword": (
        '"match: contains" tìm "{word}" cả ở giữa chữ khác nên dễ trả lời nhầm; nên dùng phrase nếu được',
        '"match: contains" finds "{word}" even inside other words and may answer by mistake; use phrase if you can',
    ),
    "keyword-too-long": (
        "từ khóa này có {size} chữ, tối đa là {limit}; hãy chỉ giữ vài chữ quan trọng",
        "this keyword has {size} words, the limit is {limit}; keep only the few that matter",
    ),
    "exclude-kills": (
        'exclude "{word}" nằm trong chính từ khóa "{keyword}" (dòng {line}) của luật này, nên từ khóa đó không bao giờ '
        "khớp; hãy bỏ một trong hai",
        'the exclude "{word}" is part of this rule\'s own keyword "{keyword}" (line {line}), which can therefore '
        "never match; delete one of the two",
    ),
    "exclude-kills/mostly": (
        'exclude "{word}" cũng nằm trong từ khóa "{keyword}" (dòng {line}) của chính luật này, nên từ khóa đó hầu như '
        "không khớp; hãy xem lại hai từ này",
        'the exclude "{word}" is also part of this rule\'s own keyword "{keyword}" (line {line}), which will therefore '
        "hardly ever match; look at the two again",
    ),
    "abbreviation-words": (
        'chữ viết tắt "{word}" phải là một chữ liền (chỉ chữ cái và số), nếu không sẽ không bao giờ khớp',
        'the abbreviation "{word}" must be one word of letters and digits, or it is never met',
    ),
    "attachment-old": (
        "ảnh này đã tải lên được {days} ngày; mã ảnh hết hạn sau 7 ngày, hãy tải ảnh lên lại và thay mã trước "
        "ngày {until}",
        "this picture was uploaded {days} days ago; ids expire after 7 days, so upload it again and replace the id "
        "before {until}",
    ),
    "attachment-old/expired": (
        "ảnh này đã tải lên được {days} ngày nên mã đã hết hạn (sau 7 ngày) và không gửi được; "
        "hãy tải ảnh lên lại và thay mã",
        "this picture was uploaded {days} days ago; its id has expired (after 7 days) and cannot be sent: upload it "
        "again and replace the id",
    ),
    "attachment-old/future": (
        'ngày tải lên "{word}" chưa tới; hãy xem lại ngày',
        'the day of the upload "{word}" is yet to come; check the date',
    ),
    "attachment-undated": (
        "mã ảnh hết hạn sau 7 ngày; hãy thêm ngày tải lên để được nhắc trước: uploaded: {today}",
        "the id of a picture expires after 7 days; add the day of the upload, so that you are reminded: "
        "uploaded: {today}",
    ),
    "active-over": (
        'thời gian của luật này đã hết từ ngày {until}; hãy xóa luật, đổi ngày, hoặc viết "enabled: false"',
        'the time of this rule was over on {until}; delete the rule, change the date, or write "enabled: false"',
    ),
    "pattern-not-installed": (
        'muốn dùng "pattern" phải cài thêm gói google-re2; hãy chạy: pip install "zalo-picture-bot[regex-rules]"',
        '"pattern" needs the package google-re2; run: pip install "zalo-picture-bot[regex-rules]"',
    ),
    "pattern-marks": (
        "pattern được so với tin nhắn đã bỏ dấu nên không được có chữ có dấu; hãy viết: {near}",
        "a pattern is tried on the message without marks, so it may have none; write: {near}",
    ),
    "pattern-backspace": (
        "trong dấu nháy kép, \\b không còn là ranh giới chữ; hãy đặt pattern trong dấu nháy đơn '…'",
        "inside double quotes \\b is no word boundary any more; put the pattern in single quotes '…'",
    ),
    "pattern-everything": (
        "pattern này khớp với mọi tin nhắn, kể cả tin trống; hãy viết chặt hơn",
        "this pattern matches every message, even an empty one; make it stricter",
    ),
    "pattern-invalid": (
        "pattern viết sai, RE2 không đọc được; hãy xem lại, hoặc dùng keywords cho đơn giản",
        "RE2 cannot read this pattern; look at it again, or use keywords, which are simpler",
    ),
    "pattern-invalid/bracket": (
        "pattern thiếu hoặc thừa dấu ngoặc ( ) hay [ ]; muốn tìm chính dấu ngoặc, hãy viết \\ phía trước",
        "a bracket ( ) or [ ] of the pattern has no partner; to look for a bracket itself, write \\ before it",
    ),
    "pattern-invalid/escape": (
        'pattern có "{part}" không có nghĩa trong RE2; hãy bỏ đi',
        '"{part}" in the pattern means nothing to RE2; take it out',
    ),
    "pattern-invalid/repeat": (
        'trong pattern, "{part}" lặp lại sai chỗ hoặc quá nhiều lần; muốn tìm chính ký tự đó, hãy viết \\ phía trước',
        'the repetition "{part}" in the pattern is misplaced or too large; '
        "to look for the sign itself, write \\ before it",
    ),
    "pattern-invalid/look": (
        'RE2 không hỗ trợ "{part}" trong pattern; hãy dùng exclude hoặc viết cách khác',
        'RE2 does not support "{part}" in a pattern; use exclude, or write it another way',
    ),
    "example-fails": (
        'ví dụ "{word}" không do luật này mà do luật "{other}" (dòng {line}) trả lời, {why}',
        'the example "{word}" is answered not by this rule but by "{other}" (line {line}), {why}',
    ),
    "example-fails/excluded": (
        'ví dụ "{word}" bị loại vì có "{part}" trong exclude (dòng {line})',
        'the example "{word}" is kept out because of "{part}" in exclude (line {line})',
    ),
    "example-fails/nothing": (
        'ví dụ "{word}" không khớp từ khóa nào của luật này{near}; hãy thêm từ khóa hoặc sửa ví dụ',
        'the example "{word}" matches no keyword of this rule{near}; add a keyword or correct the example',
    ),
    "example-fails/other": (
        'ví dụ "{word}" không khớp từ khóa nào của luật này{near}; '
        'luật "{other}" (dòng {line}) sẽ trả lời vì có {part}',
        'the example "{word}" matches no keyword of this rule{near}; the rule "{other}" (line {line}) answers it '
        "because of {part}",
    ),
    "not-example-fails": (
        'luật này vẫn trả lời "{word}" (trong not_examples) vì có {part}; hãy thêm vào exclude hoặc sửa từ khóa',
        'this rule does answer "{word}" (of not_examples) because of {part}; add an exclude or change the keyword',
    ),
    "beaten-priority": (
        "vì luật đó có priority cao hơn ({theirs} so với {ours})",
        "because its priority is higher ({theirs} against {ours})",
    ),
    "beaten-words": (
        "vì luật đó khớp nhiều chữ hơn: {theirs} so với {ours}",
        "because it matches more words: {theirs} against {ours}",
    ),
    "beaten-marks": (
        "vì luật đó khớp đúng dấu hơn: {theirs} so với {ours}",
        "because its marks match better: {theirs} against {ours}",
    ),
    "beaten-spread": (
        "vì luật đó khớp trọn tin nhắn hoặc phần đầu tin: {theirs} so với {ours}",
        "because it matches the whole message or its beginning: {theirs} against {ours}",
    ),
    "beaten-letters": (
        "vì luật đó khớp nhiều chữ cái hơn: {theirs} so với {ours}",
        "because it matches more letters: {theirs} against {ours}",
    ),
    "beaten-first": (
        "vì luật đó được viết trước và khớp như nhau: {theirs}",
        "because it is written first and both match equally well: {theirs}",
    ),
    "a-pattern": ("một pattern", "a pattern"),
    "no-near": ("", ""),
    "near-keyword": (
        ' (gần nhất là "{word}")',
        ' (the nearest is "{word}")',
    ),
    "near-keyword/marks": (
        ' (gần nhất là "{word}", nhưng "{typed}" khác dấu)',
        ' (the nearest is "{word}", but "{typed}" has other marks)',
    ),
}
