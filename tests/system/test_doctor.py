"""`bot doctor` against a sandbox vendor and a running bot."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox.script import vendor_code
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.support.commands import doctor
from tests.support.events import settled, statuses
from tests.support.ports import free_port
from tests.support.running import API_KEY, MAKER, RULES, TOKEN, Bot, environment, wait_until


def prepared(tmp_path: Path, vendor: SandboxVendor) -> dict[str, str]:
    """Return the variables of a bot that was never started."""
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    return environment(tmp_path, vendor.url, free_port())


def test_before_the_first_start_all_is_fine(tmp_path: Path, vendor: SandboxVendor) -> None:
    """No database is made, and no picture goes out: three requests that name nobody."""
    variables = prepared(tmp_path, vendor)
    status, said = doctor(tmp_path, variables)
    assert status == 0, said
    assert "Your credentials are accepted" in said
    assert "usable; it holds 2 rules" in said
    assert not (tmp_path / "bot.db").exists()
    assert [received.request.body for received in vendor.received] == [b"{}"] * 3
    assert vendor.taken == []
    assert doctor(tmp_path, variables | {"BOT_LANG": "vi"})[1].endswith("Mọi thứ đã kiểm tra đều ổn.\n")


def test_wrong_keys_are_a_problem(tmp_path: Path, vendor: SandboxVendor) -> None:
    """And say so in the vendor's words."""
    status, said = doctor(tmp_path, prepared(tmp_path, vendor) | {"CPAAS_ACCESS_TOKEN": "hush-hush"})
    assert status == 1
    assert "It refuses your credentials: HTTP 401" in said
    assert "header accesstoken is not the one of this account" in said


def test_an_account_with_the_key_alone(tmp_path: Path) -> None:
    """The vendor's newest revision: the usual headers are refused, and it helps to leave them out."""
    with SandboxVendor(Account(API_KEY, api_key_only=True)) as vendor:
        variables = prepared(tmp_path, vendor) | {"CPAAS_API_KEY_ONLY": "true"}
        del variables["CPAAS_ACCESS_TOKEN"]
        status, said = doctor(tmp_path, variables)
        assert status == 0, said
        assert "It accepts: API-KEY." in said
        variables |= {"CPAAS_API_KEY_ONLY": "false", "CPAAS_ACCESS_TOKEN": TOKEN}
        status, said = doctor(tmp_path, variables)
        assert status == 1
        assert "It refuses how you prove yourself (HTTP 400" in said
        assert "Set CPAAS_API_KEY_ONLY=true" in said


def test_without_settings_all_findings_are_reported_at_once(tmp_path: Path, vendor: SandboxVendor) -> None:
    """In both languages, with what to do; an unusable value is named and not shown."""
    variables = prepared(tmp_path, vendor)
    for name in ("CPAAS_API_KEY", "CPAAS_ACCESS_TOKEN", "ZALO_APP_ID", "ZALO_OA_SECRET_KEY"):
        del variables[name]
    variables |= {"SEND_TIMEOUT": "hush-hush", "RULES_FILE": "none.yaml"}
    status, said = doctor(tmp_path, variables)
    assert status == 1
    for name in ("CPAAS_API_KEY", "CPAAS_ACCESS_TOKEN", "ZALO_APP_ID", "ZALO_OA_SECRET_KEY"):
        assert f"{name}: missing." in said
    assert "SEND_TIMEOUT: not usable" in said
    assert "none.yaml: there is no such file" in said
    assert "6 problems, 0 warnings." in said
    status, said = doctor(tmp_path, variables | {"BOT_LANG": "vi"})
    assert "ZALO_OA_SECRET_KEY: chưa có." in said
    assert "6 lỗi, 0 lưu ý." in said


def test_what_it_cannot_read_or_understand_ends_it(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Usage is 2; a file of settings that is no text is 3."""
    variables = prepared(tmp_path, vendor)
    assert doctor(tmp_path, variables, "--url", "bot.shop.example")[0] == 2
    (tmp_path / ".env").write_bytes(b"CPAAS_API_KEY=\xff\xfe")
    assert doctor(tmp_path, variables)[0] == 3


def test_a_running_bot_and_its_webhook(bot: Bot) -> None:
    """All is as it should be but https, which nobody has on his own machine; nothing is stored by the visit."""
    bot.kill()
    bot.environment["ZALO_VERIFIER"] = "a_B-1"
    bot.start()
    status, said = doctor(bot.directory, bot.environment, "--url", f"{bot.url}/webhook")
    assert status == 1
    assert "2 problems, 0 warnings." in said
    for line in (
        "The address is not https.",
        "The address has a port or is a number.",
        f"{bot.url}/webhook: it answers.",
        "The probe of Zalo's console ({}, unsigned) is accepted.",
        "A forged event is refused (HTTP 401).",
        "The file for Zalo's domain check is at /zalo_verifiera_B-1.html.",
        "It can be written to.",
        "Events that wait for their reply: 0.",
    ):
        assert line in said
    assert statuses(bot) == []


@pytest.mark.parametrize("kind_of_database", ["sqlite"])
def test_what_is_wrong_with_a_webhook(bot: Bot) -> None:
    """A path that leads elsewhere, a domain check that is not served, and a bot that believes everybody."""
    variables = bot.environment | {"ZALO_VERIFIER": "other"}
    _, said = doctor(bot.directory, variables, "--url", f"{bot.url}/elsewhere")
    for line in ("HTTP 404 in place of 200", "unsigned) gets HTTP 404", "gets HTTP 404 in place of 401"):
        assert line in said
    assert "is not at /zalo_verifierother.html (HTTP 404)" in said
    bot.kill()
    bot.environment["WEBHOOK_AUTH"] = "off"
    bot.start()
    _, said = doctor(bot.directory, bot.environment, "--url", bot.url)
    assert "A forged event gets HTTP 200 in place of 401." in said


def test_a_forwarders_address(tmp_path: Path, vendor: SandboxVendor) -> None:
    """The token is used and not shown, and another one is refused; no false event is stored."""
    token = "seven-quiet-herons"
    with Bot(tmp_path, vendor.url, WEBHOOK_AUTH="token", WEBHOOK_TOKEN=token) as bot:
        _, said = doctor(tmp_path, bot.environment, "--url", f"{bot.url}/webhook/{token}")
        assert f"{bot.url}/webhook/…: it answers." in said
        assert "A forged event is refused (HTTP 401)." in said
        assert statuses(bot) == []


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_dead_letters_are_a_warning(tmp_path: Path, vendor: SandboxVendor, lang: str) -> None:
    """With the commands that show them and send them again."""
    vendor.next(vendor_code(-213, "User has not followed OA"))
    with Bot(tmp_path, vendor.url) as bot:
        bot.deliver(MAKER.text("101", "bảng giá"))
        wait_until(lambda: statuses(bot) == ["dead"] and settled(bot), "the dead letter")
        status, said = doctor(tmp_path, bot.environment | {"BOT_LANG": lang})
    assert status == 0
    assert "bot inbox --status dead" in said
    assert "bot replay --dead" in said
