"""README against the code: settings, commands, routes, metrics, tree, first screen."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import click
from pydantic import SecretStr

from bot.cli.main import main
from bot.config import Settings
from bot.delivery import dispatcher, sender
from bot.runtime import Runtime
from bot.web.app import create_app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What follows from others, or from the machine.
DEFAULTS = {
    "cpaas_api_key": "required",
    "cpaas_access_token": "required",
    "cpaas_bearer_token": "the access token",
    "zalo_app_id": "required with `WEBHOOK_AUTH=signature`",
    "zalo_oa_secret_key": "required with `WEBHOOK_AUTH=signature`",
    "webhook_token": "required with `WEBHOOK_AUTH=token`",
    "bot_lang": "`vi` if the locale is Vietnamese, else `en`",
}


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table after the heading."""
    rows = README.partition(f"\n### {heading}\n")[2].partition("\n|")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def default(name: str) -> str:
    """Return a setting's default as in README."""
    if name in DEFAULTS:
        return DEFAULTS[name]
    value = Settings.model_fields[name].default
    match value:
        case SecretStr():
            value = value.get_secret_value()
        case bool():
            value = str(value).lower()
        case tuple():
            value = ",".join(map(str, value))
        case float():
            value = f"{value:g}"
        case timedelta():
            hours = int(value.total_seconds() // 3600)
            value = (
                f"{hours // 24}d" if hours >= 72 else f"{hours}h" if hours else f"{int(value.total_seconds()) // 60}m"
            )
    return f"`{value}`" if value else "empty"


def test_every_setting_is_described() -> None:
    """Name, default and meaning, in the order of the code."""
    expected = [[f"`{n.upper()}`", default(n), field.description] for n, field in Settings.model_fields.items()]
    assert table("Settings") == expected


def first_sentence(command: click.Command) -> str:
    """Return the first paragraph of a command's help, on one line."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


def test_every_command_is_described_as_in_its_help() -> None:
    """In README as in the list of `bot --help`; none is missing or made up."""
    context = click.Context(main, info_name="bot", terminal_width=1000, max_content_width=1000)
    commands = {name: main.get_command(context, name) for name in main.list_commands(context)}
    expected = {name: first_sentence(command) for name, command in commands.items() if command}
    assert expected.keys() == commands.keys()
    assert all(expected.values())
    assert {re.sub(r"`bot (\w+).*`", r"\1", row[0]): row[1] for row in table("Commands")} == expected
    listed = main.get_help(context).partition("Commands:\n")[2].splitlines()
    assert [line.split(maxsplit=1) for line in listed] == [[name, words] for name, words in expected.items()]


def test_the_python_version_is_that_of_pyproject() -> None:
    """README and pyproject agree."""
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert f"Python {required.removeprefix('>=')} or newer" in README


def test_every_path_in_readme_exists() -> None:
    """Every file and folder that it points to."""
    for path in re.findall(r"\((?!https?:)([\w./-]+)\)", README) + re.findall(
        r"^(bot/[\w/.]+|app\.py)", README, re.MULTILINE
    ):
        assert (ROOT / path).exists(), path


def test_every_route_is_described() -> None:
    """And no others; the console has its own manual."""
    settings = Settings.model_construct(zalo_verifier="<code>", console_password=SecretStr("con mèo ngủ trưa"))
    app = create_app(Runtime(settings))
    ours = [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith(("/static/", "/console/"))]
    routes = {f"{method} {rule.rule}" for rule in ours for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert {row[0].strip("`") for row in table("Routes")} == routes | {"GET /console/…"}


def test_every_part_of_the_package_is_in_the_tree() -> None:
    """Its modules and folders, by name."""
    tree = README.partition("\n## Development\n")[2]
    named = set(re.findall(r"\bbot/(\w+)(?:/|\.py)", tree))
    parts = {path.stem for path in (ROOT / "bot").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert named == {part for part in parts if not part.startswith("__")}


def test_every_metric_in_readme_exists() -> None:
    """By exactly these names."""
    sources = [ROOT / "bot/metrics/counts.py", *(ROOT / "bot/web").glob("*metrics.py")]
    counted = {name for file in sources for name in re.findall(r'"(zalo_bot_\w+)"', file.read_text(encoding="utf-8"))}
    named = set(re.findall(r"zalo_bot_\w+", README))
    assert named
    assert named <= counted


def test_the_time_of_a_takeover_in_readme_is_right() -> None:
    """At worst a lease begins just before its holder dies, and each poll is as late as possible."""
    [promised] = re.findall(r"renewed no more: within (\d+) seconds", README)
    looks = dispatcher._STALE_AFTER_POLLS * (dispatcher._RENEW_SECONDS + dispatcher._POLL_SECONDS)
    assert sender.LEASE_SECONDS + looks + dispatcher._POLL_SECONDS <= int(promised)


def test_ci_runs_the_test_command_of_readme() -> None:
    """The marker that .ci/run searches occurs once, above one command line."""
    block = README.partition("<!-- test command -->\n```console\n")[2].partition("\n```")[0]
    assert README.count("<!-- test command -->") == 1
    assert "\n" not in block
    assert block.endswith("-m pytest -n 8")
