"""What editors are told about the characters and the form of the file, in Vietnamese and in English."""

from __future__ import annotations

from typing import Final

FILE: Final[dict[str, tuple[str, str]]] = {
    "too-big": (
        "tệp nặng {size} MB, tối đa là {limit} MB; hãy xem lại bạn có chọn nhầm tệp không",
        "the file is {size} MB, the limit is {limit} MB; is it the right file?",
    ),
    "too-big/parts": (
        "tệp có hơn {thousands} nghìn mục (khóa và giá trị), nhiều hơn mức bot nhận; hãy bớt luật hoặc từ khóa",
        "the file has more than {thousands} thousand keys and values, and the bot takes no more; delete rules or "
        "keywords",
    ),
    "not-utf8": (
        "tệp chưa được lưu bằng bảng mã UTF-8 (chỗ này có byte {byte}); hãy mở lại, chọn Lưu thành (Save as) "
        "với bảng mã (Encoding) UTF-8",
        "the file is not saved as UTF-8 (byte {byte} here); open it and save it again with the encoding UTF-8",
    ),
    "not-utf8/utf16": (
        "tệp đang được lưu bằng bảng mã UTF-16 (Notepad gọi là “Unicode”); hãy chọn Lưu thành (Save as) với bảng mã "
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
        'dấu "{char}" không phải dấu trừ; mỗi mục của danh sách bắt đầu bằng dấu trừ "-" và một dấu cách',
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
