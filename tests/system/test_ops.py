"""The packaged alert rules and dashboard: all metric names in them exist on a running bot."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.sandbox.script import answer
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.support.running import API_KEY, MAKER, TOKEN, Bot, wait_until

pytestmark = pytest.mark.xdist_group("ops")

OPS = files("bot") / "ops"
ALERTS = [
    alert for group in yaml.safe_load((OPS / "alerts.yaml").read_text("utf-8"))["groups"] for alert in group["rules"]
]
BOARD = json.loads((OPS / "grafana.json").read_text("utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
#: What Prometheus adds to each sample.
TARGET = {"job", "instance"}
#: What Grafana fills in, and something that may stand there.
VARIABLES = {"$__rate_interval": "5m", "$__range": "6h", "$job": "bot"}
promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian's package prometheus)")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What /metrics says once everything that can be counted has been, and after a delivery that came too late."""
    quota = {"quota_type": "sub_quota", "remain": 41, "total": 500}
    with (
        SandboxVendor(Account(API_KEY, TOKEN)) as vendor,
        Bot(tmp_path_factory.mktemp("bot"), vendor.url) as bot,
    ):
        vendor.next(answer(200, {"msg_id": "m1", "quota": quota}))
        for event in (MAKER.text("101", "bảng giá"), MAKER.text("102", "xin chào")):
            assert [bot.post(event).status_code for _ in range(2)] == [200, 200]
        wait_until(
            lambda: "unmatched_total" in scrape(bot) and "quota_limit" in scrape(bot), "everything to be counted"
        )
        yield scrape(bot)


def scrape(bot: Bot) -> str:
    return bot.get("/metrics").text


@pytest.fixture(scope="module")
def exposed(page: str) -> Mapping[str, set[str]]:
    """The names of all samples, and which labels each has."""
    return {
        sample.name: set(sample.labels) for family in text_string_to_metric_families(page) for sample in family.samples
    }


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """Return what the expression selects; it fails if it is none."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def groupings(expression: str) -> Iterator[str]:
    """Yield the labels that it sums up by."""
    for labels in re.findall(r"\bby \(([^)]*)\)", expression):
        yield from re.findall(r"\w+", labels)


def filled(expression: str) -> str:
    """Return a board's expression as Prometheus gets it."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


QUERIES = [alert["expr"] for alert in ALERTS]
QUERIES += [filled(target["expr"]) for panel in PANELS for target in panel["targets"]]
QUERIES += [filled(note["expr"]) for note in BOARD["annotations"]["list"]]


@pytest.mark.parametrize("query", QUERIES)
def test_what_is_asked_for_is_there(query: str, exposed: Mapping[str, set[str]]) -> None:
    """Each metric by its name, with the labels that are matched or summed up by."""
    found = selectors(query)
    assert found
    labels = set[str]()
    for selector in found:
        assert selector.name in exposed
        matched = {matcher.name for matcher in selector.matchers.matchers}
        assert matched <= exposed[selector.name] | TARGET
        labels |= exposed[selector.name]
    assert set(groupings(query)) <= labels | TARGET


def test_nothing_is_shown_that_nobody_looks_at(exposed: Mapping[str, set[str]]) -> None:
    """Every metric is on the board; of a histogram, the parts that say something."""
    asked = {selector.name for query in QUERIES for selector in selectors(query)}
    unasked = {name for name in exposed if not name.endswith(("_created", "_sum"))} - asked
    assert unasked <= {"zalo_bot_quota_limit"}  # an alert's


@pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])
def test_an_alert_says_what_is_wrong_and_what_to_do(alert: dict[str, Any], exposed: Mapping[str, set[str]]) -> None:
    """In two sentences with no label in them that the alert has not got."""
    assert re.fullmatch(r"ZaloBot[A-Z][A-Za-z]+", alert["alert"])
    assert set(alert) == {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert promql_parser.parse_duration(alert["for"])
    summary, description = alert["annotations"]["summary"], alert["annotations"]["description"]
    assert summary.endswith(".")
    assert len(description) > 60
    kept = set(groupings(alert["expr"]))
    if not re.search(r"\b(sum|max|min)\b", alert["expr"]):
        kept = TARGET.union(*(exposed[selector.name] for selector in selectors(alert["expr"])))
    assert set(re.findall(r"\$labels\.(\w+)", summary + description)) <= kept
    # A command of ours that is recommended is there.
    for command in re.findall(r"`bot ([a-z]+)", summary + description):
        assert f"| `bot {command}" in (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_alerts_have_names_of_their_own() -> None:
    names = [alert["alert"] for alert in ALERTS]
    assert len(set(names)) == len(names)


def test_the_board_can_be_imported_anywhere() -> None:
    """Its source of data is a variable; panels have ids of their own, a place of their own, and say what they mean."""
    assert BOARD["templating"]["list"][0]["type"] == "datasource"
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in PANELS:
        assert len(panel["description"]) > 20
        assert "unit" in panel["fieldConfig"]["defaults"] or panel["type"] == "state-timeline"
        assert [panel["datasource"], *(target["datasource"] for target in panel["targets"])] == [
            source for _ in range(len(panel["targets"]) + 1)
        ]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        for target in panel["targets"]:
            assert set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))) <= {
                *groupings(target["expr"]), *TARGET,
            }  # fmt: skip


@promtool
def test_prometheus_takes_the_rules() -> None:
    """They load, all of them fire when all goes wrong, and none while all is well."""
    check = ["promtool", "check", "rules", str(OPS / "alerts.yaml")]
    test = ["promtool", "test", "rules", str(Path(__file__).parents[1] / "data" / "alerts_test.yaml")]
    for command in (check, test):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried() -> None:
    """In the file that promtool runs."""
    tried = (Path(__file__).parents[1] / "data" / "alerts_test.yaml").read_text("utf-8")
    assert set(re.findall(r'alertname="(\w+)", severity', tried)) == {alert["alert"] for alert in ALERTS}


@promtool
def test_names_follow_prometheus_conventions(page: str) -> None:
    """As its own linter sees them."""
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
