"""What editors are told about lists, keys, quotes and brackets, in Vietnamese and in English."""

from __future__ import annotations

from typing import Final

YAML: Final[dict[str, tuple[str, str]]] = {
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
    "text-after-quote/bracket": (
        'sau dấu ngoặc đóng còn thừa "{word}"; hãy xóa đi hoặc đưa vào trong ngoặc',
        '"{word}" stands after the closing bracket; delete it or put it inside',
    ),
    "missing-brackets": (
        "nhiều mục cách nhau bằng dấu phẩy phải đặt trong ngoặc vuông; hãy viết: {near}",
        "several items with commas between them need brackets; write: {near}",
    ),
    "unclosed-bracket": (
        "dấu ngoặc {sign} mở ở đây mà không có dấu đóng; hãy thêm {close} vào cuối",
        "the bracket {sign} opened here is never closed; add {close} at the end",
    ),
    "stray-bracket": (
        "thừa dấu {sign}, không có dấu mở tương ứng; hãy xóa đi, hoặc đặt cả đoạn trong dấu nháy",
        "this {sign} closes nothing; delete it, or put the text in quotes",
    ),
    "stray-comma": (
        "trước dấu phẩy này chưa có gì; hãy xóa dấu phẩy hoặc điền vào",
        "there is nothing before this comma; delete it or fill in what is missing",
    ),
    "wrong-bracket": (
        "ngoặc mở là {opening} nên phải đóng bằng {close}, không phải {sign}",
        "the bracket was opened with {opening}, so close it with {close}, not {sign}",
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
    "dash-on-line/brackets": (
        'trong ngoặc vuông không dùng dấu "-" đầu mục; hãy xóa dấu này',
        'items between brackets have no "-" in front; delete it',
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
        "this line is not aligned with those it belongs to (leading spaces: {indent}); align it",
    ),
    "indentation/top": (
        "dòng này không khớp với các dòng phía trên; hãy xem lại các dòng đó: dấu hai chấm, khoảng trắng đầu dòng",
        "this line does not fit the lines above it; look at those: colons, indentation",
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
        'dòng "{sign}" này chia tệp làm hai và mọi thứ bên dưới bị bỏ qua; hãy xóa nó đi',
        'this "{sign}" cuts the file in two and all below it would be ignored; delete it',
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
        'không có mục "{word}" {where}; chỉ có {known}',
        'unknown key "{word}" {where}; the keys are {known}',
    ),
    "unknown-key/near": (
        'không có mục "{word}" {where}; ý bạn là "{near}"?',
        'unknown key "{word}" {where}; did you mean "{near}"?',
    ),
    "unknown-key/elsewhere": (
        'mục "{word}" không nằm {where} mà nằm {home}; hãy xem lại khoảng trắng đầu dòng',
        '"{word}" does not belong {where} but {home}; check the indentation',
    ),
    "unknown-key/beside-one-of": (
        'đã có "one_of" thì không viết thêm "{word}" bên cạnh; hãy đưa mọi ảnh vào danh sách của one_of',
        '"{word}" cannot stand beside "one_of"; put every picture into the list of one_of',
    ),
    "in-file": ("ở cấp ngoài cùng", "at the top level"),
    "in-rule": ("trong một luật", "in a rule"),
    "in-fallback": ("trong fallback", "in fallback"),
    "in-keyword": ("trong một từ khóa", "in a keyword"),
    "in-image": ("trong một ảnh của reply", "in a picture of reply"),
    "in-else": ("trong else", "in else"),
    "in-active": ("trong active", "in active"),
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
    "missing-key/image_url": (
        'thiếu "image_url"; hãy viết đường dẫn ảnh dự phòng: else: {{image_url: "https://…"}}',
        '"image_url" is missing; write the link of the picture that stands in: else: {{image_url: "https://…"}}',
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
    "not-a-mapping/active": (
        'hãy viết thành các mục, ví dụ: active: {{from: 2027-01-20, until: 2027-02-20, hours: "08:00-21:30"}}',
        'write it in keys, as in active: {{from: 2027-01-20, until: 2027-02-20, hours: "08:00-21:30"}}',
    ),
    "not-a-mapping/fallback": (
        'fallback phải có mục reply bên trong; hãy viết: fallback: {{reply: {{image_url: "https://…"}}}}',
        'fallback needs the key reply inside; write: fallback: {{reply: {{image_url: "https://…"}}}}',
    ),
    "not-a-mapping/abbreviations": (
        "hãy viết mỗi chữ viết tắt kèm nghĩa của nó, ví dụ: abbreviations: {{bn: bao nhiêu, ib: nhắn tin}}",
        "write every abbreviation with its meaning, as in abbreviations: {{bn: bao nhiêu, ib: nhắn tin}}",
    ),
    "not-a-mapping/rule": (
        'mỗi luật phải có id, keywords và reply; hãy viết "- id: …" rồi các mục khác ở các dòng dưới',
        'a rule consists of id, keywords and reply; write "- id: …" and the other keys on the lines below',
    ),
    "not-a-mapping/keyword": (
        'mục này của "{key}" phải là một đoạn chữ, không phải danh sách; hãy bỏ bớt dấu ngoặc hoặc dấu "-"',
        'this item of "{key}" must be a text, not a list; take out the inner brackets or the second "-"',
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
