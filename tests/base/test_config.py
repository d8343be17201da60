"""Settings: every fault in one message, and never a value."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

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
    """The operator mends all of it in one go."""
    with pytest.raises(ConfigError) as caught:
        load(monkeypatch, tmp_path, PORT="eighty", REPLY_WINDOW="2 days", ZALO_APP_ID="abc", DATABASE_URL="mysql://x")
    message = str(caught.value)
    names = ["CPAAS_API_KEY", "CPAAS_ACCESS_TOKEN", "ZALO_OA_SECRET_KEY"]
    for name in (*names, "PORT", "REPLY_WINDOW", "ZALO_APP_ID", "DATABASE_URL"):
        assert message.count(f"{name}:") == 1


def test_no_value_is_ever_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither in the message nor in a whole traceback, nor when the settings are printed."""
    quiet = "hus" + "h"  # not as it stands here, for a traceback shows source lines too
    secrets = {name: f"{quiet}-{name}" for name in GOOD} | {"CPAAS_API_KEY": f"{quiet}\nx", "PORT": quiet}
    with pytest.raises(ConfigError) as caught:
        load(monkeypatch, tmp_path, **secrets, DATABASE_URL=f"mysql://{quiet}:{quiet}@db/x")
    assert quiet not in "".join(traceback.format_exception(caught.value))
    settings = load(monkeypatch, tmp_path, **GOOD, DATABASE_URL=f"postgresql://u:{quiet}@db/x")
    assert quiet not in repr(settings)


def test_the_env_file_fills_in_what_the_environment_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And the environment wins."""
    (tmp_path / ".env").write_text("CPAAS_API_KEY=from-file\nPORT=9000\n# a comment\n", encoding="utf-8")
    settings = load(monkeypatch, tmp_path, **GOOD)
    assert settings.port == 9000
    assert settings.cpaas_api_key is not None
    assert settings.cpaas_api_key.get_secret_value() == "key"


def test_an_env_file_in_another_encoding_is_said_plainly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Notepad can save UTF-16."""
    (tmp_path / ".env").write_bytes("PORT=9000".encode("utf-16"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load(monkeypatch, tmp_path, **GOOD)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", "::"])
def test_no_authentication_only_on_the_loopback_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str
) -> None:
    """Anywhere else anybody could make the shop send pictures."""
    with pytest.raises(ConfigError, match="WEBHOOK_AUTH"):
        load(monkeypatch, tmp_path, **GOOD, WEBHOOK_AUTH="off", HOST=host)
    load(monkeypatch, tmp_path, **GOOD, WEBHOOK_AUTH="off")


def test_what_is_required_follows_the_other_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A forwarder needs a token and no Zalo keys; the newest vendor revision needs one key."""
    with pytest.raises(ConfigError) as caught:
        load(monkeypatch, tmp_path, WEBHOOK_AUTH="token", CPAAS_API_KEY="key", CPAAS_API_KEY_ONLY="true")
    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == ["WEBHOOK_TOKEN: is missing"]


def test_lists_and_empty_values(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A comma list may have spaces; an empty variable is one that is not set."""
    settings = load(monkeypatch, tmp_path, **GOOD, ZALO_OA_ID="12, 34 ,", PORT="", LOG_LEVEL="debug")
    assert (settings.zalo_oa_id, settings.port, settings.log_level) == (("12", "34"), 8000, "DEBUG")


def test_commands_that_answer_nobody_need_no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """But what is set must be right."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    assert Settings.load(tmp_path / ".env", partly=True).cpaas_api_key is None
    monkeypatch.setenv("SEND_RATE", "0")
    with pytest.raises(ConfigError, match="SEND_RATE"):
        Settings.load(tmp_path / ".env", partly=True)


def test_a_password_that_is_soon_guessed_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None at all means no console; any letters will do, if they are enough."""
    assert not load(monkeypatch, tmp_path, **GOOD).console_password.get_secret_value()
    with pytest.raises(ConfigError, match="CONSOLE_PASSWORD: is too short; it needs 10 characters or more"):
        load(monkeypatch, tmp_path, **GOOD, CONSOLE_PASSWORD="mèo ngủ ạ")
    settings = load(monkeypatch, tmp_path, **GOOD, CONSOLE_PASSWORD="con mèo ngủ")
    assert settings.console_password.get_secret_value() == "con mèo ngủ"
