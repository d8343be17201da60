"""Findings of the doctor about images."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

from bot.cli.doctor import report
from bot.doctor.finding import Finding
from bot.doctor.images import check_images
from bot.net.addresses import AddressPolicy
from tests.support.findings import found
from tests.support.image_server import JPEG, PNG, ImageServer, bare, ok
from tests.support.outbound import PUBLIC_ONLY


def checked(folder: Path, *replies: str, addresses: AddressPolicy = PUBLIC_ONLY) -> list[Finding]:
    """Return the findings for rules r0, r1, … with these replies."""
    lines = [f"  - {{id: r{n}, keywords: [k{n}x], reply: {reply}}}" for n, reply in enumerate(replies)]
    file = folder / "rules.yaml"
    file.write_text("\n".join(["version: 1", "rules:", *lines, ""]), encoding="utf-8")
    return list(check_images(file, addresses, now=time.time()))


def link(url: str) -> str:
    return f'{{image_url: "{url}"}}'


def test_good_images_are_counted(tmp_path: Path) -> None:
    """Links, files and attachments together; files are found beside the rules."""
    (tmp_path / "menu.png").write_bytes(PNG)
    fresh = f'{{attachment_id: "aBc", uploaded: {date.today().isoformat()}}}'  # noqa: DTZ011  as an editor writes it
    with ImageServer() as server:
        findings = checked(
            tmp_path, link(server.url("/a.jpg", ok(JPEG))), "{file: menu.png}", fresh, addresses=server.addresses
        )
    assert found(findings) == {"pictures": "fine"}
    assert "3 pictures looked at: fine." in "\n".join(report(findings, "en"))


def test_a_bad_image_is_a_problem_and_a_temporary_fault_a_warning(tmp_path: Path) -> None:
    """Each with its rules and what to do; URLs without the parts that grant access."""
    with ImageServer() as server:
        findings = checked(
            tmp_path,
            link(server.url("/gone.jpg?key=hush", bare(404))),
            f"[{link(server.url('/gone.jpg?key=hush', bare(404)))}, {link(server.url('/busy.jpg', bare(503)))}]",
            '{attachment_id: "aBc", uploaded: 2020-01-01}',
            addresses=server.addresses,
        )
    codes = found(findings)
    assert codes == {"picture-not-found": "problem", "picture-error-answer": "warning", "picture-expired": "problem"}
    english = "\n".join(report(findings, "en"))
    assert "/gone.jpg (r0, r1): there is nothing at this address (HTTP 404)." in english
    assert "Do: Put the picture there again" in english
    assert "không có gì ở địa chỉ này (HTTP 404)." in "\n".join(report(findings, "vi"))
    assert "hush" not in english


@pytest.mark.parametrize("url", ["https://127.0.0.1/a.jpg", "https://localhost/a.jpg", "https://169.254.169.254/a.jpg"])
def test_a_private_address_is_a_problem(tmp_path: Path, url: str) -> None:
    """No connection is made."""
    assert found(checked(tmp_path, link(url))) == {"picture-private-address": "problem"}


def test_images_that_cannot_be_judged_are_one_line_per_kind(tmp_path: Path) -> None:
    """Links to example hosts, and ids without a date."""
    examples = [link(f"https://shop.example/{number}.jpg") for number in range(5)]
    findings = checked(tmp_path, *examples, '{attachment_id: "aBc"}')
    assert found(findings) == {"picture-example-address": "unchecked", "picture-no-upload-day": "unchecked"}
    said = "\n".join(report(findings, "en"))
    assert "https://shop.example/2.jpg (+2): this address is only an example" in said


def test_the_check_of_many_images_has_a_time_limit(tmp_path: Path) -> None:
    """The number of unchecked images is reported."""
    with ImageServer() as server:
        urls = [link(server.url(f"/{number}.jpg", ok(JPEG))) for number in range(52)]
        findings = checked(tmp_path, *urls, addresses=server.addresses)
        assert len(server.requests) == 50
    assert found(findings) == {"pictures": "fine", "picture-not-checked": "unchecked"}


def test_unusable_rules_name_no_images(tmp_path: Path) -> None:
    """They are a finding of another check."""
    assert checked(tmp_path, "{}") == []
    assert list(check_images(tmp_path / "none.yaml", PUBLIC_ONLY, now=time.time())) == []
    assert list(check_images(tmp_path, PUBLIC_ONLY, now=time.time())) == []
