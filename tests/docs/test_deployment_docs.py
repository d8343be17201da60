"""README's deployment files: all names in them exist, and they keep the promises of image and bot."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config import Settings
from bot.web.server import graceful_seconds

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = {
    name: yaml.safe_load(block)
    for name, block in re.findall(r"<!-- ([^>\n]+) -->\n```yaml\n(.*?)```", README, re.DOTALL)
}
BOTS = {name: file["services"]["bot"] for name, file in COMPOSE.items() if "bot" in file["services"]}
#: What others read: gunicorn.
FOREIGN = {"WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"}
LONGEST_END = graceful_seconds(Settings.model_fields["send_timeout"].default)


def test_there_are_deployment_files() -> None:
    """A change of README's form must not leave them unread."""
    assert set(COMPOSE) == {"one machine", "three machines", "the database's machine"}
    assert set(BOTS) == {"one machine", "three machines"}


@pytest.mark.parametrize("service", BOTS.values(), ids=BOTS)
def test_the_container_of_the_bot(service: dict[str, Any]) -> None:
    """Only necessary rights, secrets from a file, rules as a directory, and time to finish its calls."""
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["env_file"] == ".env"
    named = service.get("environment", {}).keys()
    assert {name for name in named if name.lower() not in Settings.model_fields} <= FOREIGN
    assert "./rules:/rules" in service["volumes"]
    writable = [place.rpartition(":")[2] for place in service["volumes"]] + service["tmpfs"]
    declared = re.findall(r'"([^"]+)"', re.findall(r"^VOLUME (.+)$", DOCKERFILE, re.MULTILINE)[0])
    assert set(writable) == {"/tmp", *declared}
    assert int(service["stop_grace_period"].removesuffix("s")) > LONGEST_END
    [port] = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert all(place.rpartition(":")[2] == port for place in service["ports"])


@pytest.mark.parametrize("file", COMPOSE.values(), ids=COMPOSE)
def test_every_reference_of_a_compose_file_is_defined(file: dict[str, Any]) -> None:
    """Volumes and secrets by their names."""
    for service in file["services"].values():
        sources = {place.partition(":")[0] for place in service.get("volumes", ())}
        assert {source for source in sources if not source.startswith(".")} == set(file.get("volumes", {}))
        assert set(service.get("secrets", ())) == set(file.get("secrets", {}))


def test_the_systemd_unit() -> None:
    """It waits longer than the bot takes to stop, and starts what is installed."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(re.findall(r"```ini\n(\[Unit\].*?)```", README, re.DOTALL)[0])
    service = unit["Service"]
    assert int(service["TimeoutStopSec"]) > LONGEST_END
    assert service["ExecStart"].endswith("/.venv/bin/bot serve")
    assert service["User"] != "root"


def test_the_command_that_prints_the_alerts() -> None:
    """As in README."""
    [code] = re.findall(r'^python -c "(from importlib.+)"$', README, re.MULTILINE)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert {"alerts.yaml", "grafana.json"} <= {file.name for file in Path(done.stdout.strip()).iterdir()}
