"""
Everything that editors are told about a rules file, in Vietnamese and in English, by code.

A key is a code, or a code and a variant of it behind a slash; only the code is shown.
"""

from __future__ import annotations

from typing import Final

from bot.rules.clash_messages import CLASHES
from bot.rules.field_messages import FIELDS

Texts = dict[str, tuple[str, str]]

# The file and its characters.
_FILE: Final[Texts] = {
    "too-big": (
        "tệp nặng {size} MB, tối đa là {limit} MB; hãy xem lại bạn có chọn nhầm tệp không",
        "the file is {size} MB, the limit is {limit} MB; is it the right file?",
    ),
    "not-utf8": (
        "tệp không lưu bằng bảng mã UTF-8 (chỗ này có byte {byte}); hãy mở lại, chọn Lưu thành (Save as) "
        "với bảng mã (Encoding) UTF-8",
        "the file is not saved as UTF-8 (byte {byte} here); open it and save it again with the encoding UTF-8",
    ),
    "not-utf8/utf16": (
        "tệp lưu bằng bảng mã UTF-16 (Notepad gọi là “Unicode”); hãy chọn Lưu thành (Save as) với bảng mã "
        "(Encoding) UTF-8",
        "the file is saved as UTF-16 (Notepad calls it “Unicode”); save it again with the encoding UTF-8",
    ),
    "empty-file": (
        "tệp trống; hãy viết ít nhất một luật dưới dòng rules:",
        "the file is empty; write at least one rule under a line rules:",
    ),
    "empty-file/comments": (
        "tệp chỉ có ghi chú (dòng bắt đầu bằng #), chưa có luật nào; hãy viết ít nhất một luật dưới dòng rules:",
        "the file holds only comments (lines that begin with #); write at least one rule under a line rules:",
    ),
    "no-top": (
        'tệp phải bắt đầu bằng các mục như version: 1 và rules:, nhưng ở đây chỉ thấy "{word}"',
        'the file must consist of keys like version: 1 and rules:, but this is only the text "{word}"',
    ),
    "no-top/list": (
        "thiếu dòng rules: phía trên danh sách này; hãy thêm dòng đó, các luật thụt vào bên dưới",
        "the line rules: is missing above this list; add it, with the rules indented below",
    ),
    "no-rules": (
        "chưa có luật nào, cũng không có fallback, nên bot sẽ không trả lời ai; hãy viết ít nhất một luật",
        "there is no rule and no fallback, so nobody would get an answer; write at least one rule",
    ),
    "control-character": (
        "có ký tự lạ không nhìn thấy ({char}); hãy xóa đi",
        "there is an invisible character ({char}) that does not belong here; delete it",
    ),
    "line-separator": (
        "chỗ này xuống dòng bằng ký tự lạ ({char}), thường do dán từ Word hay trang web; hãy xóa nó rồi bấm Enter",
        "the line is broken by an unusual character ({char}), perhaps pasted from Word or a web page; "
        "delete it and press Enter",
    ),
    "tab": (
        "dòng này thụt vào bằng phím Tab; hãy xóa đi và gõ dấu cách",
        "this line is indented with a tab; replace it by spaces",
    ),
    "tab/more": (
        "dòng này và {more} dòng khác thụt vào bằng phím Tab; hãy thay mọi Tab bằng dấu cách",
        "this line and {more} more are indented with tabs; replace all tabs by spaces",
    ),
    "odd-space": (
        "đây không phải dấu cách thường mà là ký tự {char}, hay gặp khi dán từ Word hoặc Zalo; "
        "hãy xóa đi và gõ lại dấu cách",
        "this is not a plain space but {char}, as comes with text pasted from Word or a chat; type the space again",
    ),
    "dash": (
        'dấu "{char}" không phải dấu trừ; đầu mục của danh sách phải là dấu trừ "-" và một dấu cách',
        '"{char}" is not the minus sign; an item of a list begins with "-" and a space',
    ),
    "space-after-dash": (
        'thiếu dấu cách sau dấu "-"; hãy viết: - {word}',
        'a space is missing after "-"; write: - {word}',
    ),
    "space-after-colon": (
        'thiếu dấu cách sau dấu hai chấm; hãy viết "{word}: " rồi mới đến nội dung',
        'a space is missing after the colon; write "{word}: " and then the value',
    ),
    "full-width-colon": (
        'dấu hai chấm này là loại rộng "：" của bàn phím tiếng Trung, Nhật; hãy gõ "{word}: " bằng dấu ":" thường',
        'this is the wide colon "：" of Chinese and Japanese keyboards; type "{word}: " with a plain ":"',
    ),
    "equals-sign": (
        'sau "{word}" phải là dấu hai chấm chứ không phải dấu bằng; hãy viết: {word}: …',
        '"{word}" is followed by a colon, not by an equals sign; write: {word}: …',
    ),
}

# YAML itself.
_YAML: Final[Texts] = {
    "not-yaml": (
        "chỗ này viết sai cách, không đọc được; hãy so với các luật khác: dấu hai chấm, dấu ngoặc, "
        "khoảng trắng đầu dòng",
        "this cannot be read; compare with the other rules: colons, brackets, indentation",
    ),
    "curly-quotes": (
        'dấu nháy cong “ ” (do Word hay điện thoại tự sửa) không dùng được ở đây; hãy gõ dấu nháy thẳng "',
        'curly quotes “ ” (Word and phones put them in) do not work here; type straight ones: "',
    ),
    "bad-escape": (
        'trong dấu nháy kép, "{word}" không có nghĩa; hãy dùng dấu nháy đơn \' cho cả đoạn, hoặc viết \\\\ thay cho \\',
        'inside double quotes "{word}" means nothing; use single quotes \' around the text, or write \\\\ for \\',
    ),
    "unclosed-quote": (
        "dấu nháy {sign} mở ở đây mà không có dấu đóng; hãy thêm {sign} vào cuối đoạn",
        "the quote {sign} opened here is never closed; add {sign} at the end of the text",
    ),
    "text-after-quote": (
        'sau dấu nháy đóng còn thừa "{word}"; hãy đặt cả đoạn trong một cặp dấu nháy, hoặc bỏ dấu nháy',
        '"{word}" stands after the closing quote; put the whole text in one pair of quotes, or use none',
    ),
    "unclosed-bracket": (
        "dấu ngoặc {sign} mở ở đây mà không có dấu đóng; hãy thêm {close} vào cuối",
        "the bracket {sign} opened here is never closed; add {close} at the end",
    ),
    "stray-bracket": (
        "thừa dấu {sign}, không có dấu mở tương ứng; hãy xóa đi, hoặc đặt cả đoạn trong dấu nháy",
        "this {sign} closes nothing; delete it, or put the text in quotes",
    ),
    "missing-comma": (
        'thiếu dấu phẩy trước "{word}"; trong ngoặc, các mục cách nhau bằng dấu phẩy',
        'a comma is missing before "{word}"; between brackets, items are separated by commas',
    ),
    "hash-comment": (
        'từ dấu # trở đi bị coi là ghi chú và bỏ qua; hãy đặt trong dấu nháy: "{word}"',
        'what follows # is taken for a comment and ignored; put it in quotes: "{word}"',
    ),
    "hash-comment/after": (
        '"{word}" bị coi là ghi chú và bỏ qua; nếu nó thuộc về đoạn chữ phía trước, hãy đặt cả đoạn trong dấu nháy; '
        "nếu đúng là ghi chú, hãy thêm dấu cách sau #",
        '"{word}" is taken for a comment and ignored; if it belongs to the text before it, put the whole in quotes; '
        "if it is a comment, write a space after #",
    ),
    "special-start": (
        'chữ bắt đầu bằng {sign} phải đặt trong dấu nháy; hãy viết: "{word}"',
        'a text that begins with {sign} must stand in quotes; write: "{word}"',
    ),
    "alias": (
        'chữ bắt đầu bằng * phải đặt trong dấu nháy; hãy viết: "{word}"',
        'a text that begins with * must stand in quotes; write: "{word}"',
    ),
    "anchor": (
        'chữ bắt đầu bằng & phải đặt trong dấu nháy; "{word}" ở đây bị hiểu khác đi',
        'a text that begins with & must stand in quotes; here "{word}" means something else',
    ),
    "tag": (
        "chữ bắt đầu bằng ! phải đặt trong dấu nháy; ở đây nó bị hiểu khác đi",
        "a text that begins with ! must stand in quotes; here it means something else",
    ),
    "dash-on-line": (
        'dấu "-" phải ở đầu một dòng mới; hãy xuống dòng trước dấu này',
        'the "-" of a list begins a new line; press Enter before it',
    ),
    "no-colon": (
        'sau "{word}" thiếu dấu hai chấm và dấu cách; nếu đây là phần tiếp của dòng trên, hãy thụt nó vào sâu hơn',
        'a colon and a space are missing after "{word}"; if it continues the line above, indent it more',
    ),
    "colon-in-text": (
        'dấu hai chấm ở giữa làm đoạn này bị hiểu sai; hãy đặt cả đoạn trong dấu nháy: "{word}"',
        'the colon in the middle gives this another meaning; put the whole in quotes: "{word}"',
    ),
    "indentation": (
        "dòng này thụt vào {indent} dấu cách, không thẳng hàng với các dòng cùng cấp; hãy chỉnh cho thẳng hàng",
        "this line is indented by {indent} spaces, which no line it could belong to is; align it with its neighbours",
    ),
    "too-deep": (
        "có quá nhiều tầng ngoặc hay danh sách lồng nhau; tệp luật không cần nhiều như vậy",
        "lists and brackets are nested too deeply here; no rules file needs that",
    ),
    "complex-key": (
        "trước dấu hai chấm phải là một từ như id hay keywords; hãy viết lại dòng này",
        "before the colon there must be one word like id or keywords; write this line again",
    ),
    "several-documents": (
        'dấu "---" này bắt đầu một tệp thứ hai và mọi thứ bên dưới bị bỏ qua; hãy xóa nó đi',
        'this "---" begins a second file and all below it would be ignored; delete it',
    ),
    "duplicate-key": (
        'mục "{word}" đã viết ở dòng {line}; hãy gộp lại hoặc bỏ một chỗ',
        '"{word}" is already given on line {line}; join the two or delete one',
    ),
    "duplicate-key/rule": (
        'mục "id" đã viết ở dòng {line}; nếu đây là luật mới, hãy thêm dấu "- " phía trước',
        '"id" is already given on line {line}; if a new rule begins here, put "- " in front',
    ),
    "unknown-key": (
        'không có mục "{word}" trong {where}; chỉ có {known}',
        'unknown key "{word}" in {where}; the keys are {known}',
    ),
    "unknown-key/near": (
        'không có mục "{word}" trong {where}; ý bạn là "{near}"?',
        'unknown key "{word}" in {where}; did you mean "{near}"?',
    ),
    "unknown-key/elsewhere": (
        'mục "{word}" không thuộc về {where} mà thuộc về {home}; hãy xem lại khoảng trắng đầu dòng',
        '"{word}" does not belong in {where} but in {home}; check the indentation',
    ),
    "unknown-key/beside-one-of": (
        'đã có "one_of" thì không viết thêm "{word}" bên cạnh; hãy đưa mọi ảnh vào danh sách của one_of',
        '"{word}" cannot stand beside "one_of"; put every picture into the list of one_of',
    ),
    "in-file": ("tệp", "the file itself"),
    "in-rule": ("một luật", "a rule"),
    "in-fallback": ("fallback", "fallback"),
    "in-keyword": ("một từ khóa", "a keyword"),
    "in-image": ("một ảnh của reply", "a picture of reply"),
    "in-active": ("active", "active"),
    "missing-key/rules": (
        'thiếu mục "rules"; hãy thêm dòng rules: và viết các luật bên dưới',
        '"rules" is missing; add a line rules: with the rules below it',
    ),
    "missing-key/id": (
        'luật này thiếu "id"; hãy đặt cho nó một tên riêng, ví dụ id: bang-gia',
        '"id" is missing; give this rule a name of its own, as in id: bang-gia',
    ),
    "missing-key/reply": (
        'thiếu "reply"; hãy thêm ảnh trả lời: reply: {{image_url: "https://…"}}',
        '"reply" is missing; add the picture to answer with: reply: {{image_url: "https://…"}}',
    ),
    "missing-key/text": (
        'từ khóa này thiếu "text"; hãy viết {{text: giá, match: exact}}',
        '"text" is missing from this keyword; write {{text: giá, match: exact}}',
    ),
    "empty-value": (
        'sau "{key}:" chưa viết gì; hãy điền vào hoặc xóa dòng này',
        'nothing is written after "{key}:"; fill it in or delete the line',
    ),
    "empty-value/item": (
        'mục này của "{key}" chưa viết gì; hãy điền vào hoặc xóa đi',
        'this item of "{key}" is empty; fill it in or delete it',
    ),
    "not-text": (
        '"{key}" chỉ nhận một đoạn chữ, không nhận danh sách hay nhiều mục con',
        '"{key}" takes one text, not a list or keys of its own',
    ),
    "not-a-list": (
        '"{key}" phải là một danh sách; hãy viết trong ngoặc vuông [a, b], hoặc mỗi mục một dòng bắt đầu bằng "- "',
        '"{key}" must be a list; write it in brackets [a, b], or each item on a line that begins with "- "',
    ),
    "not-a-list/near": (
        '"{key}" phải là một danh sách; hãy viết: {key}: {near}',
        '"{key}" must be a list; write: {key}: {near}',
    ),
    "not-a-mapping": (
        '"{key}" phải gồm các mục "tên: giá trị"; hãy xem các luật khác',
        '"{key}" must consist of keys with values; compare with the other rules',
    ),
    "rules-no-list": (
        'dưới rules: mỗi luật phải bắt đầu bằng dấu trừ và dấu cách; hãy viết "- id: …"',
        'below rules: every rule begins with a dash and a space; write "- id: …"',
    ),
    "empty-list": (
        'danh sách "{key}" trống; hãy điền ít nhất một mục hoặc xóa "{key}"',
        'the list "{key}" is empty; give at least one item or delete "{key}"',
    ),
    "too-long": (
        "đoạn này dài {size} ký tự, tối đa là {limit}; hãy rút ngắn lại",
        "this is {size} characters long, the limit is {limit}; shorten it",
    ),
    "bad-value": (
        'giá trị của "{key}" không dùng được',
        'the value of "{key}" cannot be used',
    ),
    "more-problems": (
        "còn {count} lỗi nữa không in ra; hãy sửa các lỗi này trước rồi kiểm tra lại",
        "{count} more problems are not shown; mend these first and check again",
    ),
    "more-problems/warnings": (
        "còn {count} lưu ý nữa không in ra; hãy xem các lưu ý này trước rồi kiểm tra lại",
        "{count} more warnings are not shown; look at these first and check again",
    ),
}

MESSAGES: Final[Texts] = {**_FILE, **_YAML, **FIELDS, **CLASHES}

#: What informs and does not stop: the file works, perhaps not as its editor thinks.
WARNINGS: Final = frozenset(
    {
        "abbreviation-words",
        "active-over",
        "attachment-old",
        "attachment-old/expired",
        "attachment-old/future",
        "attachment-undated",
        "comma-keyword/quoted",
        "contains-keyword",
        "everyday-keyword",
        "everyday-keyword/twin",
        "hash-comment/after",
        "literal-keyword",
        "literal-keyword/unsure",
        "losing-keyword",
        "more-problems/warnings",
        "pattern-everything",
        "redundant-keyword",
        "redundant-keyword/same",
        "same-keyword",
        "twin-keyword",
        "url-expires",
        "url-marks",
        "url-placeholder",
        "url-private",
    }
)
