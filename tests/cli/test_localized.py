"""Help and usage errors in the language of BOT_LANG."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import call, editors_environment, run

VI, EN = editors_environment("vi"), editors_environment("en")


def test_the_help_of_a_command_is_in_vietnamese(tmp_path: Path) -> None:
    """Its text, the headings of click, and each option."""
    told = call(tmp_path, VI, "try", "--help").out
    for said in ("Cách dùng:", "Cho biết quy tắc nào trả lời câu TEXT, và vì sao.", "Tùy chọn:", "Mã OA", "Hiện hướng"):
        assert said in told
    assert "Usage" not in told
    assert "Show" not in told


def test_the_english_help_is_that_of_the_code(tmp_path: Path) -> None:
    """Also after Vietnamese was used in the same process."""
    call(tmp_path, VI, "check", "--help")
    told = call(tmp_path, EN, "check", "--help").out
    assert told.startswith("Usage:")
    assert "Find every mistake in a rules FILE." in told
    assert "Hiện" not in told


def test_the_list_of_commands_is_in_vietnamese(tmp_path: Path) -> None:
    """In a separate process."""
    status, told, err = run(tmp_path, VI, "--help")
    assert (status, err) == (0, "")
    assert "Trả lời khách của Zalo Official Account bằng ảnh" in told
    assert "Các lệnh:\n  serve      Chạy thật" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "--fo"), "Lỗi: Không có tùy chọn '--fo'. Ý bạn là '--fix', '--format'?"),
        (("chek",), "Lỗi: Không có lệnh 'chek'."),
        (("try", "giá", "sỉ"), "Lỗi: Thừa: sỉ."),
        (("try", "--event"), "Lỗi: Sau tùy chọn '--event' phải có 1 giá trị."),
        (("backtest",), "Lỗi: Thiếu 'FILE'."),
        (("unmatched", "--days", "0"), "Lỗi: Giá trị của '--days' không dùng được: 0 nằm ngoài khoảng 1<=x<=3660."),
        (("unmatched", "--days", "x"), "Lỗi: Giá trị của '--days' không dùng được: 'x' không phải số"),
        (("check", "--format", "xml"), "'xml' không có trong 'text', 'json', 'github'."),
    ],
)
def test_wrong_usage_is_reported_in_vietnamese(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """With exit status 2; if a new click has other texts, this fails."""
    status, out, err = call(tmp_path, VI, *words)
    assert (status, out) == (2, "")
    assert said in err


@pytest.mark.parametrize("line", ["BOT_LANG=vi", "PORT=80\nexport BOT_LANG = 'vi'  # tiếng Việt\n"])
def test_the_language_may_be_set_in_the_env_file(tmp_path: Path, line: str) -> None:
    """The environment has precedence."""
    (tmp_path / ".env").write_text(line, encoding="utf-8")
    without = {name: value for name, value in VI.items() if name != "BOT_LANG"}
    assert "Cách dùng:" in call(tmp_path, without, "check", "--help").out
    assert "Usage:" in call(tmp_path, EN, "check", "--help").out


@pytest.mark.parametrize("content", [b"\xff\xfe", b"# BOT_LANG=vi\n", b""])
def test_without_the_setting_the_system_s_language_is_used(tmp_path: Path, content: bytes) -> None:
    """Also if the .env file cannot be read."""
    (tmp_path / ".env").write_bytes(content)
    without = {name: value for name, value in VI.items() if name != "BOT_LANG"}
    assert "Usage:" in call(tmp_path, without, "check", "--help").out
