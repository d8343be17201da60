"""Findings of the doctor, one by one, with texts in both languages."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from pydantic import SecretStr

from bot.cli.doctor import doctor, report
from bot.config import Settings
from bot.cpaas import ProbeResult
from bot.doctor import images, rules, storage, vendor, webhook
from bot.doctor import settings as settings_check
from bot.doctor.finding import Finding
from bot.doctor.rules import check_publishing, check_rules
from bot.doctor.run import TEXTS
from bot.doctor.settings import check_settings
from bot.doctor.storage import check_database, check_event_hints
from bot.doctor.vendor import check_clock, check_vendor, judge_vendor
from bot.doctor.webhook import check_webhook
from bot.errors import DeliveryError, Misconfigured, NotNow, OutcomeUnknown, Refused
from bot.inbox.database import Database
from bot.inbox.tables import accounts, events
from tests.support.findings import found
from tests.support.ports import free_port
from tests.support.rows import DAY, NOW, keep

PARTS = (settings_check, storage, rules, images, vendor, webhook)
GOOD = {
    "cpaas_api_key": SecretStr("k" * 32),
    "cpaas_access_token": SecretStr("t" * 40),
    "zalo_app_id": "360846524940903967",
    "zalo_oa_secret_key": SecretStr("s" * 20),
}


def settings(**changes: object) -> Settings:
    return Settings.model_construct(**{**_defaults(), **GOOD, **changes})


def _defaults() -> dict[str, object]:
    return {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in Settings.model_fields.items()
    }


def test_no_two_texts_share_a_code() -> None:
    codes = [code for part in PARTS for code in part.TEXTS]
    assert len(codes) == len(set(codes))
    assert TEXTS.keys() > set(codes)


def test_good_settings_are_fine_and_no_secret_is_printed(tmp_path: Path) -> None:
    """Only the length of a secret."""
    findings = list(check_settings(settings(), {}, tmp_path / ".env"))
    assert set(found(findings).values()) == {"fine"}
    said = "\n".join(report(findings, "en"))
    assert "CPAAS_API_KEY: set, 32 characters" in said
    for name in ("cpaas_api_key", "cpaas_access_token", "zalo_oa_secret_key"):
        assert GOOD[name].get_secret_value() not in said  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "code", "level"),
    [
        ({"cpaas_api_key": SecretStr('"abc"')}, "quotes", "problem"),
        ({"cpaas_access_token": SecretStr("Bearer abc")}, "prefix", "problem"),
        ({"cpaas_api_key": SecretStr("abc def")}, "space", "problem"),
        ({"zalo_oa_secret_key": SecretStr("k" * 32)}, "same", "problem"),
        ({"zalo_oa_secret_key": SecretStr("360846524940903967")}, "same", "problem"),
        ({"cpaas_base_url": "http://cpaas.interits.com"}, "vendor-http", "warning"),
        ({"cpaas_base_url": "https://cpaas.interits.com/api/vendor/v1"}, "vendor-path", "problem"),
        ({"webhook_auth": "off"}, "auth-off", "warning"),
        ({"webhook_auth": "token", "webhook_token": SecretStr("short")}, "short-token", "warning"),
    ],
)
def test_usual_mistakes_are_reported(changes: dict[str, object], code: str, level: str, tmp_path: Path) -> None:
    """Each, and nothing else except what is fine."""
    codes = found(check_settings(settings(**changes), {}, tmp_path / ".env"))
    assert {name: how for name, how in codes.items() if how != "fine"} == {code: level}


def test_faults_of_settings_and_a_readable_env_file_are_reported(tmp_path: Path) -> None:
    """The errors of the settings, and a file with keys that everybody may read."""
    file = tmp_path / ".env"
    file.write_text("", encoding="utf-8")
    file.chmod(0o644)
    faults = {"CPAAS_API_KEY": "is missing", "ZALO_OA_SECRET_KEY": "is missing", "PORT": "is no number"}
    codes = found(check_settings(settings(), faults, file))
    assert (codes["missing"], codes["missing-oa-secret"], codes["wrong"]) == ("problem",) * 3
    assert codes["env-readable"] == "warning"
    file.chmod(0o600)
    assert "env-readable" not in found(check_settings(settings(), {}, file))


def test_the_state_of_the_rules_is_reported(tmp_path: Path) -> None:
    """Missing, unreadable, wrong, doubtful and good."""
    file, today = tmp_path / "rules.yaml", date(2027, 1, 2)
    assert found([check_rules(file, today=today)]) == {"rules-absent": "problem"}
    assert found([check_rules(tmp_path, today=today)]) == {"rules-unreadable": "problem"}
    file.write_text("rules: [", encoding="utf-8")
    assert found([check_rules(file, today=today)]) == {"rules-errors": "problem"}
    rule = '- {id: a, keywords: [%s], reply: {image_url: "https://shop.example/a.jpg"}}'
    file.write_text(f"version: 1\nrules:\n  {rule % 'bảng giá'}\n", encoding="utf-8")
    assert found([check_rules(file, today=today)]) == {"rules": "fine"}
    file.write_text(f"version: 1\nrules:\n  {rule % '{text: giá, match: contains}'}\n", encoding="utf-8")
    assert found([check_rules(file, today=today)]) == {"rules-warnings": "warning"}


def test_publishing_needs_a_writable_folder(tmp_path: Path) -> None:
    """In a missing or read-only folder nothing can be published."""
    assert found([check_publishing(tmp_path / "rules.yaml")]) == {"publish": "fine"}
    assert found([check_publishing(tmp_path / "no" / "rules.yaml")]) == {"publish-no-directory": "problem"}
    assert list(tmp_path.iterdir()) == []


def test_a_missing_database_file_is_not_created(tmp_path: Path) -> None:
    """Nor its directory."""
    assert found(check_database(f"sqlite:///{tmp_path / 'bot.db'}")) == {"db-absent": "fine"}
    assert found(check_database(f"sqlite:///{tmp_path / 'no' / 'bot.db'}")) == {"db-no-directory": "problem"}
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_database_of_the_bot_are_reported(tmp_path: Path) -> None:
    """They stay unchanged."""
    text, other = tmp_path / "text.db", tmp_path / "other.db"
    text.write_text("no database " * 1000, encoding="utf-8")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE x (y)")
    before = other.read_bytes()
    assert found(check_database(f"sqlite:///{text}")) == {"db-unreadable": "problem"}
    assert found(check_database(f"sqlite:///{other}"))["db-no-wal"] == "warning"
    assert other.read_bytes() == before
    assert found(check_database("postgresql://u:hush@host:port/x")) == {"db-address": "problem"}


def test_an_unreachable_server_is_reported() -> None:
    """Without its address, which has the password."""
    findings = list(check_database(f"postgresql://u:hush-hush@127.0.0.1:{free_port()}/x"))
    assert found(findings) == {"db-away": "problem"}
    assert "hush" not in "".join(report(findings, "en"))


def test_the_version_of_the_tables_is_reported(empty_database_url: str) -> None:
    """Empty, current, older, and newer than the program."""
    if empty_database_url.startswith("sqlite"):
        with closing(sqlite3.connect(empty_database_url.removeprefix("sqlite:///"))) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    assert found(check_database(empty_database_url))["db-empty"] == "fine"
    database = Database(empty_database_url)
    database.migrate()
    codes = found(check_database(empty_database_url))
    assert codes.pop("which-secret/no-event") == "unchecked"
    assert set(codes.values()) == {"fine"}
    assert {"db-version", "db-writable", "db-waiting"} <= codes.keys()
    for revision, code, level in (("0001", "db-older", "warning"), ("9999", "db-newer", "problem")):
        with database.write() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :v"), {"v": revision})
        codes = found(check_database(empty_database_url))
        assert codes[code] == level
        assert "db-waiting" not in codes
    database.dispose()


def test_waiting_events_are_reported(database: Database, database_url: str) -> None:
    """Old open events, dead letters, parked ones and a paused OA."""
    row = {"name": "user_send_text", "app_id": "1", "oa_id": "7", "user_id": "8", "msg_id": "9"}
    rows = [row | {"key": s, "status": s, "received_at": 1e9, "due_at": 1e9} for s in ("open", "dead", "parked")]
    with database.write() as connection:
        connection.execute(sa.insert(events), rows)
        connection.execute(sa.insert(accounts), {"oa_id": "7", "pauses": 1, "trouble": "HTTP 401:\nkey expired"})
    findings = list(check_database(database_url))
    codes = found(findings)
    assert [codes[f"db-{name}"] for name in ("waiting-long", "dead", "parked")] == ["warning"] * 3
    assert codes["db-closed"] == "problem"
    said = "\n".join(report(findings, "en"))
    assert "OA 7: nothing is sent at present. The connection key is refused: tell the operator. The vendor says" in said


def probe(status: int, failure: type[DeliveryError] | None) -> ProbeResult:
    return ProbeResult(status, failure, "words", "")


REFUSED_BODY, REFUSED_KEY = probe(400, Refused), probe(401, Misconfigured)
REFUSED_HEADER = ProbeResult(400, Refused, "header accessToken must not be sent", "")


@pytest.mark.parametrize(
    ("answer", "stranger", "code", "level"),
    [
        (REFUSED_BODY, REFUSED_KEY, "vendor-knows-us", "fine"),
        (REFUSED_BODY, REFUSED_HEADER, "vendor-knows-us", "fine"),
        (REFUSED_HEADER, None, "vendor-refuses", "problem"),
        (REFUSED_BODY, REFUSED_BODY, "vendor-does-not-tell", "unchecked"),
        (probe(200, Refused), probe(200, Misconfigured), "vendor-knows-us", "fine"),
        (REFUSED_KEY, None, "vendor-refuses", "problem"),
        (probe(200, Misconfigured), None, "vendor-refuses", "problem"),
        (probe(404, Refused), None, "vendor-no-such-path", "problem"),
        (probe(302, Misconfigured), None, "vendor-no-such-path", "problem"),
        (probe(503, NotNow), None, "vendor-trouble", "warning"),
        (probe(429, NotNow), None, "vendor-trouble", "warning"),
        (probe(502, OutcomeUnknown), None, "vendor-trouble", "warning"),
        (probe(200, None), None, "vendor-odd", "unchecked"),
        (probe(204, None), None, "vendor-odd", "unchecked"),
    ],
)
def test_credentials_are_proven_only_if_wrong_ones_are_refused(
    answer: ProbeResult, stranger: ProbeResult | None, code: str, level: str
) -> None:
    """With another answer than for ours."""
    assert found([judge_vendor(answer, stranger, None, key_only=False)]) == {code: level}


@pytest.mark.parametrize("key_only", [False, True])
def test_the_accepted_way_to_authenticate_is_reported(key_only: bool) -> None:
    """Both, the configured one, or only the other one: then the setting to change."""
    told = {}
    for name, answer, second in (
        ("both", REFUSED_BODY, REFUSED_BODY), ("ours", REFUSED_BODY, REFUSED_KEY),
        ("theirs", REFUSED_KEY, REFUSED_BODY), ("header", REFUSED_HEADER, REFUSED_BODY),
        ("none", REFUSED_KEY, REFUSED_KEY),
    ):  # fmt: skip
        finding = judge_vendor(answer, REFUSED_KEY, second, key_only=key_only)
        told[name] = (found([finding]), finding.args)
    ways = {"API-KEY", "API-KEY, accessToken, Authorization"}
    assert told["both"][0] == told["ours"][0] == {"vendor-knows-us": "fine"}
    assert set(str(told["both"][1]["ways"]).split("; ")) == ways
    assert told["ours"][1]["ways"] == ("API-KEY" if key_only else "API-KEY, accessToken, Authorization")
    for name in ("theirs", "header"):
        assert told[name][0] == {"vendor-other-way": "problem"}
        assert told[name][1]["key_only"] == ("false" if key_only else "true")
    assert told["none"][0] == {"vendor-refuses": "problem"}


def test_the_clock_is_compared_with_the_vendor_s() -> None:
    """By the header Date, which has whole seconds; without it nothing is reported."""
    stamp, now = "Sun, 09 Sep 2001 01:46:40 GMT", 1_000_000_000.0
    assert found([check_clock(stamp, now=now + 2)]) == {"clock": "fine"}
    assert found([check_clock(stamp, now=now - 90)]) == {"clock-wrong": "warning"}
    for nothing in ("", "today", "Sun, 99 Sep 2001 01:46:40 GMT"):
        assert found([check_clock(nothing, now=now)]) == {"clock-unknown": "unchecked"}


def test_an_unreachable_vendor_is_reported() -> None:
    """No key, a refused connection, an unknown name."""
    assert found(check_vendor(settings(cpaas_api_key=None), now=0))["vendor-no-key"] == "unchecked"
    nobody = settings(cpaas_base_url=f"http://127.0.0.1:{free_port()}")
    assert found(check_vendor(nobody, now=0))["vendor-silent"] == "problem"
    nowhere = settings(cpaas_base_url="https://vendor.invalid", send_timeout=5.0)
    assert {"vendor-name", "vendor-silent", "vendor-timeout"} & found(check_vendor(nowhere, now=0)).keys()


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/webhook", "http://127.0.0.1:{port}"])
def test_an_unreachable_webhook_is_reported(url: str) -> None:
    """No https, no domain, no answer; for a URL without path, /webhook is used."""
    findings = list(check_webhook(settings(), url.format(port=free_port())))
    assert found(findings) == dict.fromkeys(("webhook-no-https", "webhook-no-domain", "webhook-silent"), "problem")
    assert "/webhook: no connection" in "\n".join(report(findings, "en"))


@pytest.mark.parametrize(
    "url", ["", "bot.shop.example", "ftp://bot.shop.example", "https://", "https://x:y/", "https://["]
)
def test_an_invalid_url_is_wrong_usage(url: str) -> None:
    """Before anything is checked."""
    answer = CliRunner().invoke(doctor, ["--url", url])
    assert answer.exit_code == 2
    assert "https://bot.shop.example/webhook" in answer.output


def test_the_token_in_a_url_is_not_printed() -> None:
    """It authenticates the forwarder."""
    secret = settings(webhook_auth="token", webhook_token=SecretStr("hush-hush-hush-hush"))
    findings = list(check_webhook(secret, f"http://127.0.0.1:{free_port()}/webhook/hush-hush-hush-hush"))
    assert "hush" not in "".join(report(findings, "vi"))


def signs(database: Database) -> dict[str, str]:
    """Return the findings from the stored events."""
    return found(check_event_hints(database, now=NOW))


def test_before_the_first_event_the_key_may_be_wrong(database: Database) -> None:
    """It is unknown; after the first stored event it was right."""
    assert signs(database) == {"which-secret/no-event": "unchecked"}
    keep(database)
    assert signs(database) == {}


def test_the_syntax_filter_is_detected_from_stored_texts(database: Database) -> None:
    """Many texts, all beginning with #."""
    for number in range(9):
        keep(database, text=f"#menu{number}")
    keep(database, kind="sticker", text="")
    assert signs(database) == {}
    keep(database, text="#bảng giá")
    assert signs(database) == {"syntax-filter/on": "warning"}
    keep(database, text="bảng giá")
    assert signs(database) == {}


def test_another_bot_is_detected_from_echoes(database: Database) -> None:
    """Texts of the OA that no person sent; images may be ours, and old ones do not count."""
    echo = {"kind": None, "status": "ignored", "text": None, "rule_id": None}
    keep(database, name="oa_send_image", reason="echo", **echo)
    keep(database, name="oa_send_text", reason="human", **echo)
    keep(database, name="oa_send_text", reason="echo", age=8 * DAY, **echo)
    assert signs(database) == {}
    keep(database, name="oa_send_text", reason="echo", **echo)
    findings = list(check_event_hints(database, now=NOW))
    assert found(findings) == {"own-replies/seen": "warning"}
    assert findings[0].args == {"count": 1}


def test_untrusted_text_stays_on_its_line() -> None:
    """A file name or a server's text cannot look like a finding of ours, nor control the terminal."""
    evil = "bot.db\n  \u2713 all fine\r\u2028\x1b[2J\u202e"
    lines = list(report([Finding("database", "fine", "db-absent", {"file": evil})], "en"))
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert len([line for line in plain if "all fine" in line]) == 1
    assert all(line.isprintable() for line in plain)
    assert not any(line.lstrip().startswith("\u2713 all") for line in plain)
