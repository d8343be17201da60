"""Settings: one message for all faults, without any value."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from sqlalchemy.engine import make_url

from bot.config import Settings
from bot.errors import ConfigError

GOOD = {
    "CPAAS_API_KEY": "key", "CPAAS_ACCESS_TOKEN": "token", "ZALO_APP_ID": "123", "ZALO_OA_SECRET_KEY": "secret",
}  # fmt: skip


def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **variables: str) -> Settings:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings.load(tmp_path / ".env")


def test_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Four variables are enough."""
    settings = load(monkeypatch, tmp_path, **GOOD)
    assert settings.cpaas_base_url == "https://cpaas.interits.com"
    assert (settings.host, settings.port, settings.max_attempts) == ("127.0.0.1", 8000, 8)
    assert settings.reply_window.total_seconds() == 48 * 3600


def test_every_missing_and_wrong_setting_is_named_in_one_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So that the operator can fix all of them at once."""
    with pytest.raises(ConfigError) as caught:
        load(monkeypatch, tmp_path, PORT="eighty", REPLY_WINDOW="2 days", ZALO_APP_ID="abc", DATABASE_URL="mysql://x")
    message = str(caught.value)
    names = ["CPAAS_API_KEY", "CPAAS_ACCESS_TOKEN", "ZALO_OA_SECRET_KEY"]
    for name in (*names, "PORT", "REPLY_WINDOW", "ZALO_APP_ID", "DATABASE_URL"):
        assert message.count(f"{name}:") == 1


def test_no_value_is_ever_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither in the message nor in a traceback, nor when the settings are printed."""
    quiet = "hus" + "h"  # not as it stands here, for a traceback shows source lines too
    secrets = {name: f"{quiet}-{name}" for name in GOOD} | {"CPAAS_API_KEY": f"{quiet}\nx", "PORT": quiet}
    with pytest.raises(ConfigError) as caught:
        load(monkeypatch, tmp_path, **secrets, DATABASE_URL=f"mysql://{quiet}:{quiet}@db/x")
    assert quiet not in "".join(traceback.format_exception(caught.value))
    settings = load(monkeypatch, tmp_path, **GOOD, DATABASE_URL=f"postgresql://u:{quiet}@db/x")
    assert quiet not in repr(settings)


def test_the_env_file_is_used_for_missing_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment has precedence."""
    (tmp_path / ".env").write_text("CPAAS_API_KEY=from-file\nPORT=9000\n# a comment\n", encoding="utf-8")
    settings = load(monkeypatch, tmp_path, **GOOD)
    assert settings.port == 9000
    assert settings.cpaas_api_key is not None
    assert settings.cpaas_api_key.get_secret_value() == "key"


def test_an_env_file_in_another_encoding_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Notepad can save UTF-16."""
    (tmp_path / ".env").write_bytes("PORT=9000".encode("utf-16"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load(monkeypatch, tmp_path, **GOOD)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", "::"])
def test_no_authentication_only_on_the_loopback_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str
) -> None:
    """Elsewhere anybody could make the shop send images."""
    with pytest.raises(ConfigError, match="WEBHOOK_AUTH"):
        load(monkeypatch, tmp_path, **GOOD, WEBHOOK_AUTH="off", HOST=host)
    load(monkeypatch, tmp_path, **GOOD, WEBHOOK_AUTH="off")


def test_required_settings_depend_on_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A forwarder needs a token and no Zalo keys; the vendor's newest revision needs one key."""
    with pytest.raises(ConfigError) as caught:
        load(monkeypatch, tmp_path, WEBHOOK_AUTH="token", CPAAS_API_KEY="key", CPAAS_API_KEY_ONLY="true")
    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == ["WEBHOOK_TOKEN: is missing"]


def test_lists_and_empty_values(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A comma list may have spaces; an empty variable counts as missing."""
    settings = load(monkeypatch, tmp_path, **GOOD, ZALO_OA_ID="12, 34 ,", PORT="", LOG_LEVEL="debug")
    assert (settings.zalo_oa_id, settings.port, settings.log_level) == (("12", "34"), 8000, "DEBUG")


def test_commands_that_do_not_answer_customers_need_no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """But wrong values are errors."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    assert Settings.load(tmp_path / ".env", partly=True).cpaas_api_key is None
    monkeypatch.setenv("SEND_RATE", "0")
    with pytest.raises(ConfigError, match="SEND_RATE"):
        Settings.load(tmp_path / ".env", partly=True)


def test_a_weak_password_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No password means no console; any characters are allowed if there are enough."""
    assert not load(monkeypatch, tmp_path, **GOOD).console_password.get_secret_value()
    with pytest.raises(ConfigError, match="CONSOLE_PASSWORD: is too short; it needs 10 characters or more"):
        load(monkeypatch, tmp_path, **GOOD, CONSOLE_PASSWORD="mèo ngủ ạ")
    settings = load(monkeypatch, tmp_path, **GOOD, CONSOLE_PASSWORD="con mèo ngủ")
    assert settings.console_password.get_secret_value() == "con mèo ngủ"


@pytest.mark.parametrize(
    "weak", ["aaaaaaaaaaaa", "1234567890", "Password123!", "matkhau2027", "          ", "abababababab"]
)
@pytest.mark.parametrize("name", ["CONSOLE_PASSWORD", "WEBHOOK_TOKEN"])
def test_common_passwords_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, weak: str) -> None:
    """With a message without the value; the same for the webhook's token."""
    with pytest.raises(ConfigError, match=f"{name}: is too (easily guessed|short)") as caught:
        load(monkeypatch, tmp_path, **GOOD, **{name: f"{weak}"})
    assert weak.strip() == "" or weak not in str(caught.value)


@pytest.mark.parametrize("strong", ["con mèo ngủ", "correct horse battery", "kQ3v-9xT_2mZ", "test drive on a monday"])
def test_passphrases_are_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, strong: str) -> None:
    """With spaces, marks or well-known words among others."""
    assert load(monkeypatch, tmp_path, **GOOD, CONSOLE_PASSWORD=strong).console_password.get_secret_value() == strong


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bot:p@ss@db/bot",
        "postgresql://bot:p/ss@db/bot",
        "postgresql://bot:p[ss@db/bot",
        "postgresql://bot:p#ss@db/bot",
        "postgresql://bot:p?ss@db/bot",
        "postgresql://bot:p%ss@db/bot",
        "postgresql://bot:p ss@db/bot",
        "postgresql://b:ot:pss/x@db:5432/bot",
        "postgresql://bot:pss@db:port/bot",
        "postgresql://bot:pss@db:0/bot",
        "postgresql://bot:pss@db:99999/bot",
        "postgresql://bot:pss@[::1/bot",
        "postgresql://bot:pss@a:1,b:x/bot",
        "postgresql:/bot:pss@db/bot",
        "mysql://bot:pss@db/bot",
        "bot:pss",
    ],
)
def test_an_invalid_database_url_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str) -> None:
    """Without any part of the password."""
    with pytest.raises(ConfigError, match="DATABASE_URL") as caught:
        load(monkeypatch, tmp_path, **GOOD, DATABASE_URL=url)
    assert "ss@" not in str(caught.value)
    assert "pss" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_any_escaped_password_is_read_back(user: str, password: str) -> None:
    """The settings accept it, and the database's library reads the same password."""
    user, password = (text.encode(errors="replace").decode() for text in (user, password))
    url = f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@db:5432/bot"
    taken = Settings(database_url=SecretStr(url)).database_url.get_secret_value()
    read = make_url(taken)
    assert (read.username, read.password, read.host, read.port) == (user, password, "db", 5432)


@example("?@:")
@given(st.text(max_size=40) | st.text("ab1:@/[]?#%,. ", max_size=30))
def test_no_database_url_ends_in_a_traceback(rest: str) -> None:
    """Every accepted URL can be read by the library; all others are refused with a message."""
    url = SecretStr(f"postgresql://{rest}")
    try:
        taken = Settings(database_url=url).database_url.get_secret_value()
    except ValidationError as error:
        taken = ""
        faults = {fault["type"] for fault in error.errors()}
        if faults != {"database"}:
            raise
    if taken and "," not in taken:
        assert make_url(taken).get_backend_name() == "postgresql"


@pytest.mark.parametrize(
    ("given_host", "host"),
    [("::1", "::1"), ("[::1]", "::1"), ("::", "::"), (" 127.0.0.1 ", "127.0.0.1"), ("web", "web")],
)
def test_hosts_are_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given_host: str, host: str) -> None:
    """Addresses of both kinds, with or without a URL's brackets, and names."""
    assert load(monkeypatch, tmp_path, **GOOD, HOST=given_host).host == host


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:80", "a b", "http://x", "999.1.1.1", "-x"])
def test_other_values_are_no_hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str) -> None:
    """Refused with a message at the start, not by the server's traceback."""
    with pytest.raises(ConfigError, match="HOST: expected an address"):
        load(monkeypatch, tmp_path, **GOOD, HOST=host)


@pytest.mark.parametrize("url", ["https://", "https://[", "https://a:b", "https://a:99999", "https://k:s@a", "ftp://a"])
def test_other_values_are_no_urls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(ConfigError, match="CPAAS_BASE_URL: expected a web address"):
        load(monkeypatch, tmp_path, **GOOD, CPAAS_BASE_URL=url)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest keeps its own to the user that runs the tests."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_an_unreadable_env_file_is_reported(public_folder: Path) -> None:
    """Doctor advises chmod 600, so the user that runs the bot must own it."""
    (public_folder / ".env").write_text("PORT=9000")
    (public_folder / ".env").chmod(0)
    code = """
import os, sys
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
from pathlib import Path
from bot.config import Settings
from bot.errors import ConfigError
try:
    Settings.load(Path(sys.argv[1]), partly=True)
except ConfigError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", f"import bot.config, bot.errors\n{code}", str(public_folder / ".env")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(".env cannot be read (Permission denied); let the user that runs the bot read it")
