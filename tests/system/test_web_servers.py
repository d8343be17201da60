"""README's nginx and Caddy configurations: both servers accept them and do what README says."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from bot.sandbox.vendor import SandboxVendor
from tests.support.ports import free_port
from tests.support.running import MAKER, PATIENCE, Bot, wait_until

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
# Debian keeps nginx where only root looks; Caddy comes from PyPI.
PATHS = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"))
SLOW = b"POST /webhook HTTP/1.1\r\nHost: bot.shop.example\r\nContent-Length: 400\r\n\r\n{"


def block(language: str) -> str:
    """Return README's one block in that language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


def program(name: str) -> str:
    """Return where it stands, or skip the test where nobody has installed it."""
    path = shutil.which(name, path=PATHS)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@contextmanager
def nginx(directory: Path, bot_port: int) -> Iterator[int]:
    """Run nginx with README's block, but for the certificate, in front of the bot; return its port."""
    path, port = program("nginx"), free_port()
    site = re.sub(r"\n *ssl_certificate.*", "", block("nginx"))
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{port}").replace(":8000", f":{bot_port}")
    with running([path, "-e", "stderr", "-c", str(around(site, directory))], port):
        yield port


def around(site: str, directory: Path) -> Path:
    """Return a configuration of nginx that has the site in it, and writes into the directory alone."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds)
    config = directory / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 1; pid {directory}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log {directory}/access.log;\n{temporary}\n{site} }}"
    )
    return config


@contextmanager
def caddy(directory: Path, bot_port: int) -> Iterator[int]:
    """Run Caddy with README's block, but for the certificate, in front of the bot; return its port."""
    path, port = program("caddy"), free_port()
    site = (
        block("caddy").replace("bot.shop.example", f"http://bot.shop.example:{port}").replace(":8000", f":{bot_port}")
    )
    config = directory / "Caddyfile"
    config.write_text("{\n\tadmin off\n\tpersist_config off\n}\n" + site)
    with running([path, "run", "--config", str(config), "--adapter", "caddyfile"], port, HOME=str(directory)):
        yield port


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    """Run the command while the block lasts, from when it listens on the port."""
    with subprocess.Popen(command, env=os.environ | environment, stderr=sys.stderr) as process:
        try:
            wait_until(lambda: process.poll() is not None or is_open(port), "the web server to listen")
            assert process.poll() is None
            yield
        finally:
            process.terminate()


def is_open(port: int) -> bool:
    """Return whether something listens there."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("server", [nginx, caddy])
def test_a_web_server_in_front_passes_on_what_is_public(tmp_path: Path, vendor: SandboxVendor, server: object) -> None:
    """Deliveries and nothing that has no password; the bot hears of a slow client's request only once it is whole."""
    assert callable(server)
    with Bot(tmp_path, vendor.url, GUNICORN_CMD_ARGS="--access-logfile=-") as bot, server(tmp_path, bot.port) as port:

        def ask(method: str, path: str, data: bytes = b"", **headers: str) -> int:
            headers["Host"] = "bot.shop.example"
            url = f"http://127.0.0.1:{port}{path}"
            return requests.request(method, url, data=data, headers=headers, timeout=PATIENCE).status_code

        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as slow:
            slow.sendall(SLOW)
            event = MAKER.text("101", "x")
            assert ask("POST", "/webhook", event.body, **event.headers) == 200
            assert [ask("GET", path) for path in ("/metrics", "/readyz", "/webhookx", "/")] == [404] * 4
            wait_until(lambda: bot.log_text().count("POST /webhook") == 1, "the event to be logged")
            slow.sendall(b"x" * 399)
            assert slow.recv(100).startswith(b"HTTP/1.1 40")
        wait_until(lambda: bot.log_text().count("POST /webhook") == 2, "the slow client's request")
        assert "/metrics" not in bot.log_text()


def test_nginx_accepts_the_block_of_readme(tmp_path: Path) -> None:
    """With a certificate where it says."""
    path = program("nginx")
    certificate = tmp_path / "both.pem"
    trustme = pytest.importorskip("trustme")
    trustme.CA().issue_cert("bot.shop.example").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    site = re.sub(r"/etc/ssl/bot\.\w+", str(certificate), block("nginx"))
    command = [path, "-t", "-e", "stderr", "-c", str(around(site, tmp_path))]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


def test_caddy_accepts_the_block_of_readme(tmp_path: Path) -> None:
    """And has no better form of it."""
    config = tmp_path / "Caddyfile"
    config.write_text(block("caddy"))
    command = [program("caddy"), "adapt", "--validate", "--adapter", "caddyfile", "--config", str(config)]
    checked = subprocess.run(
        command, env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "not formatted" not in checked.stderr
