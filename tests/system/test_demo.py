"""`bot demo` as a process, over real sockets and in a real browser, if available."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import fits, needs_browser, open_context, wait_for_images, watch
from tests.support.demo import CUSTOMER, Demo, running
from tests.support.local_images import jpeg
from tests.support.running import PATIENCE

pytestmark = pytest.mark.xdist_group("demo")

OWN_RULES = """
version: 1
rules:
  - id: cua-toi
    keywords: [xin chào]
    reply: {image_url: "https://elsewhere.example/nowhere.jpg"}
    examples: [xin chào]
  - {id: menu, keywords: [menu], reply: {file: menu.jpg}}
"""
OWN_PICTURE = jpeg()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture(scope="module")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a shop with rules, a picture and settings of its own."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "rules.yaml").write_text(OWN_RULES)
    (folder / "menu.jpg").write_bytes(OWN_PICTURE)
    (folder / ".env").write_text("CPAAS_BASE_URL=https://real-vendor.example\nZALO_OA_ID=1\n")
    return folder


@pytest.fixture(scope="module")
def own_demo(own_folder: Path) -> Iterator[Demo]:
    with running(own_folder, lang="en") as demo:
        yield demo


class TestProcess:
    def test_ends_cleanly_on_ctrl_c(self, tmp_path: Path) -> None:
        """Status 0, nothing left running, nothing left on disk."""
        with running(tmp_path) as demo:
            bot = re.search(r"http://127\.0\.0\.1:(\d+)</code>", requests.get(demo.url, timeout=PATIENCE).text)
            assert bot
            assert list(tmp_path.glob("bot-demo-*"))
            demo.process.send_signal(signal.SIGINT)
            assert demo.process.wait(PATIENCE) == 0
        for port in (int(bot[1]), int(demo.url.rsplit(":", 1)[1].split("/")[0])):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))
        assert not list(tmp_path.glob("bot-demo-*"))
        assert "Traceback" not in "".join(demo.printed)

    def test_takes_a_free_port_if_its_own_is_taken(self, tmp_path: Path) -> None:
        """The address printed is the one that answers."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = other.getsockname()[1]
            with running(tmp_path, port=taken) as demo:
                assert f":{taken}/" not in demo.url
                assert requests.get(demo.url, timeout=PATIENCE).ok

    @pytest.mark.parametrize(("named", "lang", "words"), [("demo", "vi", "mở cửa rồi"), ("own_demo", "en", "is open")])
    def test_speaks_the_reader_s_language(
        self, request: pytest.FixtureRequest, named: str, lang: str, words: str
    ) -> None:
        """On the terminal and on the page, which can be switched."""
        demo: Demo = request.getfixturevalue(named)
        pages = {ask: requests.get(demo.url + ask, timeout=PATIENCE).text for ask in ("", "?lang=vi", "?lang=en")}
        assert words in "".join(demo.printed)
        assert f'<html lang="{lang}">' in pages[""]
        assert "Hành trình của từng tin nhắn" in pages["?lang=vi"]
        assert "The trail of each message" in pages["?lang=en"]

    def test_the_shop_s_own_rules(self, own_demo: Demo) -> None:
        """A rules.yaml in the folder is used, and its examples are offered to try."""
        assert 'data-text="xin chào"' in requests.get(own_demo.url, timeout=PATIENCE).text
        own_demo.say("xin chao", customer="2000001")
        seen = own_demo.pieces('id="picture-', customer="2000001")
        assert "cua-toi" in seen
        assert "<img" not in seen

    def test_a_picture_beside_the_rules(self, own_demo: Demo) -> None:
        """It is uploaded, arrives by its token, and the page shows it."""
        own_demo.say("menu", customer="2000002")
        pieces = own_demo.pieces('id="picture-', customer="2000002")
        [source] = re.findall(r'<img src="(/demo/uploads/[^"]+)"', pieces)
        shown = requests.get(own_demo.url.removesuffix("/demo") + source, timeout=PATIENCE)
        assert (shown.content, shown.headers["Content-Type"]) == (OWN_PICTURE, "image/jpeg")
        assert requests.get(f"{own_demo.url}/uploads/none", timeout=PATIENCE).status_code == 404

    def test_the_console_is_open_and_the_file_stays_as_it_is(self, own_demo: Demo, own_folder: Path) -> None:
        """The way in from the chat is logged in, and finds messages of the last days and the rule that answered."""
        with requests.Session() as session:
            overview = session.get(f"{own_demo.url}/console?lang=en", timeout=PATIENCE)
            assert overview.status_code == 200
            assert "/console/" in overview.url
            assert 'name="password"' not in overview.text
            rule = session.get(f"{own_demo.url}/console?rule=cua-toi&lang=en", timeout=PATIENCE)
            assert rule.url.partition("?")[0].endswith("/console/rules")
            assert "cua-toi" in rule.text
            base = rule.url.partition("/console")[0]
            found = session.get(f"{base}/console/unanswered?lang=en", timeout=PATIENCE).text
            assert 'class="card gap"' in found
        assert (own_folder / "rules.yaml").read_text() == OWN_RULES

    def test_rules_that_cannot_be_used(self, tmp_path: Path) -> None:
        """The demo says where the fault is and ends with status 3."""
        (tmp_path / "rules.yaml").write_text(OWN_RULES.replace("keywords", "keyword"))
        with pytest.raises(AssertionError, match="no address") as failure, running(tmp_path) as demo:
            pytest.fail(demo.url)
        assert "rules.yaml:5" in str(failure.value)


class TestPage:
    def test_a_message_is_answered_with_the_rule_s_picture(self, demo: Demo) -> None:
        """Through webhook, inbox, rules and vendor; with the rule's id, the time, and a picture served here."""
        assert demo.say("shop ơi bang gia", customer="1000001").status_code == 204
        seen = demo.pieces("· ảnh sau", customer="1000001")
        source = re.search(r'<img src="(/static/shop/bang-gia\.jpg)"', seen)
        assert source
        assert re.search(r"<b>bang-gia</b> <span class=\"time\">(\d+ ms|\d+,\d giây)</span>", seen)
        assert "bot trả 200" in seen
        picture = requests.get(demo.url.removesuffix("/demo") + source[1], timeout=PATIENCE)
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/jpeg")

    def test_follow_brings_two_pictures(self, demo: Demo) -> None:
        """In the order of the rule."""
        demo.say(customer="1000002", kind="follow")
        seen = demo.pieces("shop/menu.jpg", customer="1000002")
        assert seen.index("shop/chao-mung.jpg") < seen.index("shop/menu.jpg")

    def test_each_customer_sees_only_the_own_conversation(self, demo: Demo) -> None:
        """And sees it again after a reload."""
        demo.say("menu", customer="1000003")
        demo.say("địa chỉ ở đâu", customer="1000004")
        assert "dia-chi.jpg" not in demo.pieces("· ảnh sau", customer="1000003")
        assert "dia-chi.jpg" in demo.pieces("· ảnh sau", customer="1000004")
        assert "dia-chi.jpg" in demo.pieces("· ảnh sau", customer="1000004")

    def test_a_customer_s_words_are_only_words(self, demo: Demo) -> None:
        """Markup in a message comes back escaped."""
        demo.say('<img src=x onerror=alert(1)> & "menu"', customer="1000005")
        seen = demo.pieces("· ảnh sau", customer="1000005")
        assert "<img src=x" not in seen
        assert "&lt;img src=x onerror=alert(1)&gt; &amp; &#34;menu&#34;" in seen

    def test_nobody_answers(self, demo: Demo) -> None:
        """The second unknown message in a day finds neither rule nor fallback."""
        demo.say("con mèo nhà mình", customer="1000006")
        demo.pieces("huong-dan.jpg", customer="1000006")
        demo.say("con mèo nhà mình", customer="1000006")
        seen = demo.pieces("khách vừa nhận trả lời mặc định rồi", customer="1000006")
        assert "Quy tắc trả lời:" not in seen.rpartition("con mèo nhà mình")[2]

    def test_a_dropped_line_sends_no_second_picture(self, demo: Demo) -> None:
        """Zalo's echo tells the bot that the picture went out."""
        demo.say("menu", customer="1000007", vendor="cut")
        seen = demo.pieces("bot không gửi trùng", customer="1000007")
        assert len(set(re.findall(r'id="(picture-\d+-\d+)"', seen))) == 1

    def test_a_failure_is_tried_again(self, demo: Demo) -> None:
        """503 once, then the picture; the next message is spared."""
        demo.say("menu", customer="1000008", vendor="busy")
        seen = demo.pieces("· ảnh sau", customer="1000008")
        assert "lỗi 503" in seen
        assert "menu.jpg" in seen

    @pytest.mark.parametrize(
        "message",
        [
            {},
            [],
            {"customer": "x", "kind": "text", "text": "menu"},
            {"customer": CUSTOMER, "kind": "text", "text": " "},
            {"customer": CUSTOMER, "kind": "dance"},
            {"customer": CUSTOMER, "kind": "text", "text": "menu", "more": 1},
            {"customer": CUSTOMER, "kind": "text", "text": "a" * 2001},
            {"customer": CUSTOMER, "kind": "text", "text": "menu", "vendor": "explode"},
        ],
    )
    def test_what_is_no_message_is_400(self, demo: Demo, message: object) -> None:
        """Nothing else is taken."""
        headers = {"Content-Type": "application/json"}
        answer = requests.post(f"{demo.url}/messages", json.dumps(message), headers=headers, timeout=PATIENCE)
        assert answer.status_code == 400

    def test_another_site_cannot_write(self, demo: Demo) -> None:
        """A form of another site cannot send JSON with its type."""
        body = json.dumps({"customer": CUSTOMER, "kind": "text", "text": "menu"})
        headers = {"Content-Type": "text/plain"}
        assert requests.post(f"{demo.url}/messages", body, headers=headers, timeout=PATIENCE).status_code == 400

    @pytest.mark.parametrize("query", ["", "?customer=", "?customer=abc", "?customer=" + "1" * 40])
    def test_changes_of_nobody(self, demo: Demo, query: str) -> None:
        """A customer is 6 to 20 digits."""
        assert requests.get(f"{demo.url}/changes{query}", timeout=PATIENCE).status_code == 400

    def test_home_leads_to_the_page(self, demo: Demo) -> None:
        """And every page forbids inline script."""
        answer = requests.get(demo.url.removesuffix("/demo"), timeout=PATIENCE)
        assert answer.url == demo.url
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<script>|<style>| on\w+=", answer.text)


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    """The demo in a phone's window."""
    with open_context(browser, size="phone") as context:
        page = context.new_page()
        trouble = watch(page)
        page.goto(demo.url)
        yield page
    assert trouble.complaints == []


class TestBrowser:
    pytestmark = needs_browser

    def test_type_and_see_the_picture(self, page: Page) -> None:
        """Type, press Enter: the picture is there, loaded, with rule and time, and the trail tells the way."""
        page.get_by_role("textbox").fill("shop ơi bang gia")
        page.keyboard.press("Enter")
        picture = page.get_by_role("log").get_by_role("img", name="Ảnh bang-gia.jpg")
        picture.wait_for()
        wait_for_images(page, "figure img", wider_than=1000)
        caption = page.locator("figcaption")
        expect(caption).to_contain_text("bang-gia")
        expect(caption).to_contain_text(re.compile(r"\d+ ms|\d,\d giây"))
        expect(page.locator("#trail .card")).to_contain_text("bot trả 200")
        expect(page.locator("#trail .rule")).to_have_text("bang-gia")

    def test_by_keyboard_alone(self, page: Page) -> None:
        """The first thing focused is the text field; a sample, a sticker and "follow" are buttons."""
        expect(page.get_by_role("textbox")).to_be_focused()
        page.get_by_role("button", name="cho mình xem menu").press("Enter")
        expect(page.get_by_role("img", name="Ảnh menu.jpg")).to_be_visible()
        page.get_by_role("button", name="Gửi nhãn dán").press("Enter")
        expect(page.get_by_role("img", name="Nhãn dán")).to_be_visible()
        page.get_by_role("button", name="Quan tâm").press("Enter")
        expect(page.get_by_role("img", name="Ảnh chao-mung.jpg").first).to_be_attached()

    def test_the_vendor_fails_once(self, page: Page) -> None:
        """The choice counts for one message, and the trail shows the second try."""
        page.get_by_text("báo lỗi 503 một lần").click()
        page.get_by_role("textbox").fill("menu")
        page.get_by_role("button", name="Gửi", exact=True).click()
        expect(page.get_by_role("radio", name="nhận bình thường")).to_be_checked()
        expect(page.locator("#trail .card")).to_contain_text("lỗi 503")
        expect(page.get_by_role("img", name="Ảnh menu.jpg")).to_be_attached()
        expect(page.locator("#trail .card li.good", has_text="Gọi bên gửi tin: 200")).to_be_attached()

    def test_a_message_that_looks_like_markup(self, page: Page) -> None:
        """It is shown as typed and runs nothing."""
        text = "<img src=x onerror=\"document.title='hit'\"> menu"
        page.get_by_role("textbox").fill(text)
        page.keyboard.press("Enter")
        expect(page.locator(".bubble")).to_have_text(text)
        expect(page.get_by_role("img", name="Ảnh menu.jpg")).to_be_attached()
        assert "hit" not in page.title()

    def test_a_reload_keeps_the_conversation_and_a_new_customer_has_none(self, page: Page) -> None:
        """The tab remembers who the customer is."""
        page.get_by_role("textbox").fill("menu")
        page.keyboard.press("Enter")
        expect(page.locator("figure")).to_have_count(1)
        page.reload()
        expect(page.locator("figure")).to_have_count(1)
        page.get_by_role("button", name="Khách mới").click()
        expect(page.locator("figure")).to_have_count(0)
        expect(page.locator(".bubble")).to_have_count(0)

    def test_english(self, page: Page) -> None:
        """The switch keeps the conversation and changes the words around it."""
        page.get_by_role("textbox").fill("menu")
        page.keyboard.press("Enter")
        expect(page.locator("figure")).to_have_count(1)
        page.get_by_role("link", name="English").click()
        expect(page.get_by_role("heading", name="The trail of each message")).to_be_attached()
        expect(page.locator("#trail .card")).to_contain_text("safely stored")

    def test_nothing_sticks_out(self, page: Page) -> None:
        """No sideways scrolling, also with a word that has no place to break."""
        page.get_by_role("textbox").fill("menu" + "a" * 300)
        page.keyboard.press("Enter")
        expect(page.locator(".bubble")).to_be_visible()
        assert fits(page)
