"""The editors' commands as an editor runs them, with their exact outputs."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import Output, call, editors_environment, run
from tests.support.running import PATIENCE
from tests.support.shop_rules import RULES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A directory with good rules."""
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def bot(directory: Path, *words: str, lang: str = "vi", typed: str = "", **more: str) -> Output:
    """Return what an editor's command says there."""
    return call(directory, editors_environment(lang, **more), *words, typed=typed)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("vi", "rules.yaml: không có lỗi. Đã kiểm tra 5 quy tắc (1 quy tắc đang tắt), 5 từ khóa, 2 ví dụ.\n"),
        ("en", "rules.yaml: fine. Checked 5 rules (1 switched off), 5 keywords, 2 examples.\n"),
    ],
)
def test_check_says_how_much_it_checked(shop: Path, lang: str, said: str) -> None:
    """A file that is fine is told with its size."""
    assert run(shop, editors_environment(lang), "check") == (0, said, "")


WRONG = """\
version: 1
rules:
  - id: menu
    keywods: [thực đơn]
    reply: {image_url: "https://quanmoc.example/menu.jpg"}
  - id: gia
    keywords: [bảng giá]
    reply: {image_url: "http://quanmoc.example/gia.jpg"}
  - id: sale
    keywords: [{text: ale, match: contains}]
    reply: {image_url: "https://quanmoc.example/sale.jpg"}
"""

WRONG_VI = """\
sai.yaml:4:5: quy tắc không có mục nào tên "keywods"; ý bạn là "keywords"? [unknown-key]
  |
4 |     keywods: [thực đơn]
  |     ^~~~~~~
sai.yaml:8:24: đường dẫn ảnh phải bắt đầu bằng https; hãy thử: https://quanmoc.example/gia.jpg [http-url]
  |
8 |     reply: {image_url: "http://quanmoc.example/gia.jpg"}
  |                        ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
sai.yaml:10:23: lưu ý: "match: contains" tìm "ale" cả ở giữa chữ khác nên dễ trả lời nhầm; nên dùng phrase nếu được \
[contains-keyword]
   |
10 |     keywords: [{text: ale, match: contains}]
   |                       ^~~

sai.yaml: có 2 lỗi và 1 lưu ý. Bot chưa dùng bản này; hãy sửa rồi kiểm tra lại.
"""

WRONG_EN = """\
sai.yaml:4:5: unknown key "keywods" in a rule; did you mean "keywords"? [unknown-key]
  |
4 |     keywods: [thực đơn]
  |     ^~~~~~~
sai.yaml:8:24: the link must begin with https; try: https://quanmoc.example/gia.jpg [http-url]
  |
8 |     reply: {image_url: "http://quanmoc.example/gia.jpg"}
  |                        ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
sai.yaml:10:23: warning: "match: contains" finds "ale" even inside other words and may answer by mistake; \
use phrase if you can [contains-keyword]
   |
10 |     keywords: [{text: ale, match: contains}]
   |                       ^~~

sai.yaml: 2 errors and 1 warning. The bot does not use this version; mend it and check again.
"""


@pytest.mark.parametrize(("lang", "said"), [("vi", WRONG_VI), ("en", WRONG_EN)])
def test_check_shows_every_problem(shop: Path, lang: str, said: str) -> None:
    """All in one run, where they are, on stdout with the verdict; `try` says the same."""
    (shop / "sai.yaml").write_text(WRONG, encoding="utf-8")
    assert bot(shop, "check", "sai.yaml", lang=lang) == (1, said, "")
    assert bot(shop, "try", "menu", lang=lang, RULES_FILE="sai.yaml") == (1, said, "")


def test_warnings_do_not_fail(shop: Path) -> None:
    """They inform; the exit status is that of a file that can be used."""
    (shop / "rules.yaml").write_text(RULES.replace("[quần]", "[{text: quần, match: contains}]"), encoding="utf-8")
    status, out, _ = bot(shop, "check", lang="en")
    assert status == 0
    assert out.splitlines()[-1].startswith("rules.yaml: usable, with 1 warning.")


def test_check_for_programs(shop: Path) -> None:
    """The same problems as JSON, and as annotations of a pull request."""
    (shop / "sai.yaml").write_text(WRONG, encoding="utf-8")
    status, out, _ = bot(shop, "check", "sai.yaml", "--format", "json", lang="en")
    assert (status, [p["code"] for p in json.loads(out)]) == (1, ["unknown-key", "http-url", "contains-keyword"])
    status, out, _ = bot(shop, "check", "sai.yaml", "--format", "github", lang="en")
    assert (status, out.count("::error "), out.count("::warning ")) == (1, 2, 1)
    assert bot(shop, "check", "--format", "json") == (0, "[]\n", "")


def test_a_file_that_cannot_be_read(shop: Path) -> None:
    """It could not run, which is not the same as a problem in the file."""
    said = "không đọc được tệp khac.yaml: không có tệp này\n"
    assert bot(shop, "check", "khac.yaml") == (3, "", said)
    said = "cannot read khac.yaml: there is no such file\n"
    assert bot(shop, "try", "giá", "--rules", "khac.yaml", lang="en") == (3, "", said)


def test_a_directory_is_no_file(shop: Path) -> None:
    """The kind of mistake is told."""
    assert bot(shop, "check", ".") == (3, "", "không đọc được tệp .: đây là một thư mục\n")


def test_broken_settings(shop: Path) -> None:
    """A wrong setting is told by name; nothing else runs."""
    status, out, err = bot(shop, "check", lang="en", PORT="eighty")
    assert (status, out) == (3, "")
    assert "PORT" in err
    assert "eighty" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "--wat"), "Không có tùy chọn"),
        (("try", "giá", "--event", "folow"), 'không có sự kiện "folow"; ý bạn là "follow"?'),
        (("try", "giá", "--event", "x"), 'không có sự kiện "x"; chỉ có text, follow, image,'),
        (("try", "giá", "--at", "mai"), 'không đọc được thời điểm "mai"'),
    ],
)
def test_wrong_usage(shop: Path, words: tuple[str, ...], said: str) -> None:
    """Exit status 2, and what to write instead."""
    status, out, err = bot(shop, *words)
    assert (status, out) == (2, "")
    assert said in err


def test_try(shop: Path) -> None:
    """What an editor reads about a message at a certain time."""
    assert bot(shop, "try", "qua tet", "--at", "2027-01-24 22:00", "--oa", "388613280878808645") == (
        0,
        """\
Tin nhắn: qua tet
Lúc:      chủ nhật 24/01/2027 22:00
Quy tắc:  không có quy tắc nào khớp, nên gửi trả lời mặc định
Gửi:      https://quanmoc.example/menu.jpg
Lưu ý:    mỗi khách chỉ nhận một lần trong 24 giờ

Quy tắc khác:
  tet: ngoài giờ; quy tắc chỉ chạy từ 20/01/2027 đến hết 20/02/2027, lúc 08:00–21:30; nếu không thì đã trả lời
""",
        "",
    )


@pytest.mark.parametrize("name", ["follow", "user_send_sticker"])
def test_try_an_event(shop: Path, name: str) -> None:
    """By the rules' word for it or by Zalo's; no text is asked for."""
    status, out, _ = bot(shop, "try", "--event", name, lang="en")
    assert status == 0
    assert out.splitlines()[1] == ("Rule:     chao-mung" if name == "follow" else "Rule:     no rule answers")


def test_try_now(shop: Path) -> None:
    """Without a date it is today: a season that is over is over."""
    old = RULES.replace("2027-", "2021-").replace(', hours: "08:00-21:30"', "")
    (shop / "rules.yaml").write_text(old, encoding="utf-8")
    _, out, _ = bot(shop, "try", "quà tết", "--at", "12:00", lang="en")
    assert "tet: over; it ran only from 2021-01-20" in out


def test_try_for_an_oa(shop: Path) -> None:
    """A rule of another OA says for which it is; the time is that of the file's zone."""
    at = ("--at", "2027-01-24 20:00")
    _, out, _ = bot(shop, "try", "quà tết", *at, "--oa", "1", lang="en")
    assert "tet: not for this OA, only for 388613280878808645; but for that, it would answer" in out
    _, out, _ = bot(shop, "try", "quà tết", *at, "--oa", "388613280878808645", lang="en")
    assert "Rule:     tet, by the keyword" in out


def test_bytes_that_are_no_text(shop: Path) -> None:
    """What a shell passes on as broken UTF-8 is shown as such and breaks nothing."""
    status, out, _ = run(shop, editors_environment("en"), "try", "quần \udcff")
    assert status == 0
    assert out.startswith("Message:  «quần» ?\n")


def test_try_without_text_answers_line_by_line(shop: Path) -> None:
    """Piped messages get an explanation each; blank lines none."""
    status, out, err = bot(shop, "try", typed="quần\n\nbang gia\n", lang="en")
    assert (status, err) == (0, "")
    first, second, rest = out.split("\n\n")
    assert first.startswith("Message:  «quần»\n")
    assert second.startswith("Message:  «bang gia»\n")
    assert rest == ""


def test_try_at_a_terminal(shop: Path) -> None:
    """There is a prompt; what matched is coloured; saving the file changes the next answer; Ctrl+D ends."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bot", "try"]
    with subprocess.Popen(
        command, cwd=shop, env=editors_environment("vi"), stdin=theirs, stdout=theirs, stderr=theirs
    ) as run:
        os.close(theirs)
        assert "Ctrl+D" in read_until(ours, "> ")
        os.write(ours, "quần\n".encode())
        assert "\x1b[32m\x1b[1m«quần»\x1b[0m" in read_until(ours, "> ")
        (shop / "rules.yaml").write_text(RULES.replace("[quần]", "[áo]"), encoding="utf-8")
        os.write(ours, "quần\n".encode())
        assert "không có quy tắc nào" in read_until(ours, "> ")
        (shop / "rules.yaml").write_text(RULES.replace("keywords", "keyword"), encoding="utf-8")
        os.write(ours, "quần\n".encode())
        assert "[unknown-key]" in read_until(ours, "> ")
        os.write(ours, b"\x04")
        assert run.wait(timeout=PATIENCE) == 0
    os.close(ours)


def read_until(terminal: int, end: str) -> str:
    """Return what the program wrote until it waits at the prompt; the test's time limit ends a program that hangs."""
    seen = b""
    while not seen.endswith(end.encode()):
        seen += os.read(terminal, 4096)
    return seen.decode()


def test_schema_is_the_one_in_the_package(shop: Path) -> None:
    """What is printed is what the modeline of rules.yaml points at."""
    status, out, err = bot(shop, "schema")
    assert (status, err) == (0, "")
    assert out == (ROOT / "bot" / "rules" / "rules.schema.json").read_text(encoding="utf-8")
