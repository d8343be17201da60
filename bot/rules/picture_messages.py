"""What editors are told about pictures beside the rules file, in Vietnamese and in English."""

from __future__ import annotations

from typing import Final

PICTURES: Final[dict[str, tuple[str, str]]] = {
    "file-path": (
        "ảnh phải nằm cùng thư mục với tệp luật, hoặc trong một thư mục con của nó; hãy chép ảnh vào đó rồi viết: "
        "file: {near}",
        "the picture must lie in the folder of the rules file or below it; copy it there and write: file: {near}",
    ),
    "file-path/backslash": (
        "tên thư mục và tên ảnh cách nhau bằng dấu /; hãy viết: file: {near}",
        "folder and picture are separated by /; write: file: {near}",
    ),
    "file-path/link": (
        '"{word}" dẫn ra ngoài thư mục của tệp luật; hãy chép chính tấm ảnh vào thư mục đó',
        '"{word}" leads out of the folder of the rules file; copy the picture itself into it',
    ),
    "file-is-link": (
        "đây là đường dẫn trên mạng chứ không phải tệp ảnh; hãy dùng image_url thay cho file",
        "this is a link, not a file; use image_url instead of file",
    ),
    "file-missing": (
        'không có tệp ảnh "{word}" bên cạnh tệp luật; hãy chép ảnh vào đó, hoặc sửa lại tên cho đúng',
        'there is no file "{word}" beside the rules file; copy the picture there, or correct the name',
    ),
    "file-missing/near": (
        'không có tệp ảnh "{word}"; ý bạn là "{near}"? (chữ hoa và chữ thường là khác nhau)',
        'there is no file "{word}"; did you mean "{near}"? (capital and small letters differ)',
    ),
    "file-missing/folder": (
        '"{word}" không phải là một tệp ảnh mà là một thư mục; hãy viết cả tên ảnh, ví dụ file: images/menu.jpg',
        '"{word}" is a folder, not a picture; write the name of the picture too, as in file: images/menu.jpg',
    ),
    "file-missing/unreadable": (
        'không mở được tệp ảnh "{word}"; hãy kiểm tra tên tệp và quyền đọc',
        'the file "{word}" cannot be opened; check its name, and whether it may be read',
    ),
    "file-type": (
        'tệp "{word}" không phải là ảnh JPG hay PNG; hãy lưu ảnh lại thành .jpg hoặc .png',
        'the file "{word}" is no JPG and no PNG; save the picture as .jpg or .png',
    ),
    "file-type/kind": (
        'tệp "{word}" thật ra là {kind}, mà Zalo chỉ nhận JPG và PNG; hãy mở ra và lưu lại thành .jpg hoặc .png '
        "(chỉ đổi tên thì không được)",
        'the file "{word}" is really a {kind}, and Zalo takes only JPG and PNG; open it and save it as .jpg or .png '
        "(a new name alone will not do)",
    ),
    "file-type/empty": (
        'tệp ảnh "{word}" trống; có thể ảnh chưa chép xong, hãy chép lại',
        'the file "{word}" is empty; perhaps it was not copied to its end, copy it again',
    ),
    "file-too-big": (
        'ảnh "{word}" nặng {size} MB, Zalo chỉ nhận tối đa 1 MB; hãy chạy: bot check --fix (ảnh gốc vẫn được giữ lại)',
        'the picture "{word}" is {size} MB, and Zalo takes at most 1 MB; run: bot check --fix (the original is kept)',
    ),
    "else-alone": (
        '"else" là ảnh dự phòng cho "file" hoặc "attachment_id"; "image_url" thì không cần, hãy xóa mục này',
        '"else" stands in for a "file" or an "attachment_id"; "image_url" does not need it, delete it',
    ),
}
