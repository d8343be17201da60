"""The loader, from bytes to models or problems: repairs, refusals, no hangs."""

from __future__ import annotations

import hashlib
import itertools

import pytest

from bot.rules.problem import Place, split_lines
from bot.rules.reading.loader import Loaded, load
from bot.rules.reading.source import MAX_BYTES
from bot.rules.reading.yaml_tree import MAX_PARTS

RULE = """
  - id: menu
    keywords: [menu]
    reply: {image_url: "https://shop.example/menu.jpg"}
"""
GOOD = "version: 1\nrules:" + RULE


def found(text: str | bytes) -> list[tuple[int, int, str]]:
    """Return line, column and code of every problem."""
    data = text if isinstance(text, bytes) else text.encode()
    return [(problem.line, problem.column, problem.code) for problem in load(data).problems]


def codes(text: str | bytes) -> list[str]:
    """Return the codes of the problems."""
    return [code for _, _, code in found(text)]


def rule_with(line: str) -> str:
    """Return a file with one good rule that has an additional line."""
    return f"{GOOD}    {line}\n"


def part_of(loaded: Loaded) -> list[str]:
    """Return the ids of the rules that could be read."""
    assert loaded.part is not None
    return [rule.id for rule in loaded.part.rules]


def test_a_good_file_has_a_digest_and_no_problems() -> None:
    """The digest of its bytes."""
    loaded = load(GOOD.encode())
    assert loaded.problems == ()
    assert loaded.file is not None
    assert loaded.digest == hashlib.sha256(GOOD.encode()).hexdigest()
    assert load(b"\xff").digest == hashlib.sha256(b"\xff").hexdigest()


@pytest.mark.parametrize(
    "typed",
    ["no", "No", "on", "off", "yes", "true", "null", "~", "0123", "0x1F", "1e3", "1_000", "17:30", "190:20:30",
     "2027-01-20", ".inf", "=", "50%", "c++", "24/7", "a#b", "it's", "ok?", "giá!", "<3", "1,5", "😍", ":)", "a:b"],
)  # fmt: skip
def test_a_keyword_is_what_was_typed(typed: str) -> None:
    """No types of YAML 1.1; a text with a comma is on its own line."""
    loaded = load(f"rules:\n  - id: a\n    reply: {{attachment_id: x}}\n    keywords:\n      - {typed}\n".encode())
    assert loaded.problems == ()
    assert loaded.file is not None
    assert loaded.file.rules[0].keywords[0].text == typed


@pytest.mark.parametrize(
    "text", ["\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "\r"), "---\n" + GOOD]
)
def test_line_ends_of_all_systems_are_accepted(text: str) -> None:
    """A byte order mark, too."""
    assert codes(text) == []


def test_places_are_the_same_with_windows_line_ends() -> None:
    """CR LF is one line end, and the byte order mark is no column."""
    text = GOOD.replace("menu.jpg", "menu.gif")
    assert found(text) == found("\ufeff" + text.replace("\n", "\r\n")) == [(5, 24, "not-jpeg-png")]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("on: folow", "unknown-event"),
        ("enabled: ja", "bad-boolean"),
        ("priority: 1.5", "bad-number"),
        ("priority: 1001", "bad-number"),
        ("cooldown: 999999d", "bad-duration"),
        ("cooldown: [10m]", "not-text"),
        ("oa: [38861328087880864512345]", "bad-oa"),
        ("active: {days: [mon, tues]}", "unknown-day"),
        ("active: {from: 2027-13-01}", "bad-date"),
        ("active: {from: 2027-1-2}", "bad-date"),
        ("active: {hours: 25:00-26:00}", "bad-hours"),
        ("active: {hours: 08:00}", "bad-hours"),
        ("exclude: [[a]]", "not-a-mapping"),
        ("exclude: [{text: a, match: regex}]", "unknown-match"),
        ("examples: [{a: b}]", "colon-in-text"),
        ("pattern: ''", "empty-text"),
        ("exclude: ['\u200b']", "empty-text"),
        ("colour: red", "unknown-key"),
        ("<<: {priority: 3}", "unknown-key"),
        ("reply: x", "duplicate-key"),
        ("exclude: [a, b", "unclosed-bracket"),
        ("exclude: [“a”]", "curly-quotes"),
        ("exclude: [a, #b]", "hash-comment"),
        ("exclude:", "empty-value"),
        ("exclude: *a", "alias"),
        ("exclude: [!!str a]", "tag"),
        ("? [a]", "complex-key"),
        ("exclude: [[[[[[[[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]]]]]]]]", "too-deep"),
    ],
)
def test_one_mistake_is_one_problem_on_its_line(line: str, code: str) -> None:
    """There is no other problem of the rule."""
    assert [(at, what) for at, _, what in found(rule_with(line))] == [(6, code)]


def test_rules_that_can_be_read_are_kept_for_the_checks() -> None:
    """A mistake in one rule does not hide mistakes in the others."""
    loaded = load(f"rules:\n  - id: BAD\n    keywords: [x]{RULE}  - {{id: c]\n{RULE.replace('menu', 'd')}".encode())
    assert loaded.file is None
    assert part_of(loaded) == ["menu", "d"]
    assert loaded.places.at("rules", 0, "id") == Place(4, 9, 4)
    assert loaded.places.at("rules", 1, "keywords", 0) == Place(10, 16, 1)


def test_a_rule_that_is_no_yaml_is_left_out_and_the_others_are_read() -> None:
    """In one run, also behind the place where a parser stops."""
    text = f"""rules:
  - id: mot
    keywords: [a, b
    reply: {{attachment_id: x}}
{RULE}
  - id: ba
    keywords: ["c]
  - id: Bốn
fallback: [
"""
    assert found(text) == [
        (3, 15, "unclosed-bracket"),
        (11, 16, "unclosed-quote"),
        (12, 5, "missing-key"),
        (12, 5, "no-keywords"),
        (12, 9, "bad-id"),
        (13, 11, "unclosed-bracket"),
    ]


def test_a_mistake_is_reported_the_same_without_the_good_rules_before() -> None:
    """Also in a section below them, and if a rule before has a line that looks like another rule."""
    good = "".join(RULE.replace("menu\n", f"menu-{n}\n", 1) for n in range(4))
    lines = good.count("\n")
    goes_on = "  - id: a\n    keywords: [a]\n    examples: [a\n  - b]\n    reply: {attachment_id: x}\n"
    slips = ["  - id: [\n", "  - id: 'a\n", "  - id: a\n   on: b\n", "fallback: [\n", " - id: a\n", "  - |x\n"]
    for first, slip in itertools.product([RULE, goes_on], [*slips, *(goes_on + slip for slip in slips)]):
        far = found(f"rules:\n{first}{good}{slip}")
        assert [(line - lines, column, code) for line, column, code in far] == found(f"rules:\n{first}{slip}")


def test_a_mistake_causes_no_problem_in_another_rule() -> None:
    """What is fine in a file without slips is fine in one with some."""
    sound = RULE.replace("keywords: [menu]", "keywords: [menu?]").replace("id: menu", "id: b")
    assert codes(f"rules:{RULE}{sound}") == []
    assert codes(f"rules:{RULE}{sound}  - id: [\n") == ["unclosed-bracket"]


def test_a_file_with_nothing_but_unreadable_rules_is_not_called_empty() -> None:
    """The list is empty only because its rule was left out."""
    assert codes("rules:\n  - id: [\n") == ["unclosed-bracket"]


def test_only_the_rule_with_a_tab_is_left_out() -> None:
    """The tab's width is unknown, so nothing is reported about the lines around it."""
    text = f"rules:\n  - id: a\n\tkeywords: x\n  - id: B\n{RULE}"
    assert found(text) == [(3, 1, "tab"), (4, 5, "missing-key"), (4, 5, "no-keywords"), (4, 9, "bad-id")]


def test_harmless_tabs_are_spaces() -> None:
    """After a colon, between items, on empty lines, before a comment."""
    assert codes(GOOD.replace("id: ", "id:\t").replace("keywords: [menu]", "keywords:\t[menu,\ta]\n\t\n\t# a\n")) == []


def test_columns_are_those_of_the_file_after_a_repair() -> None:
    """The repaired text is longer than what the editor sees."""
    text = "rules:\n  -id:Menu\n   keywords: [menu]\n   reply: {attachment_id: x}\n"
    assert found(text)[:2] == [(2, 3, "space-after-dash"), (2, 4, "space-after-colon")]
    assert found("rules:\n- id:Bảng giá\n  keywords:[a]\n  reply: {attachment_id: x}\n") == [
        (2, 3, "space-after-colon"),
        (2, 6, "bad-id"),
        (3, 3, "space-after-colon"),
    ]


@pytest.mark.parametrize(
    "line",
    ["examples: [“Giá sao” vậy shop]", 'examples: ["“Giá sao”"]', "examples: [tủ 5”]", "examples: [anh’]",
     "examples: [đi–về]", "examples: ['- không']", "examples: [a — b]", "examples: [a #", "# - “x” \t：",
     "examples: [id：5]", "examples: ['id:5']", "examples: [giờ：8h]"],
)  # fmt: skip
def test_look_alike_characters_in_texts_are_allowed(line: str) -> None:
    """In a sentence or a comment they are ordinary characters."""
    text = rule_with(line + ("\n      ]" if line.endswith("#") else ""))
    assert codes(text) == []


@pytest.mark.parametrize("item", ["- -5", "- --", "- a\n      -b", "- '-b'", "- a-b"])
def test_a_dash_in_a_keyword_is_allowed(item: str) -> None:
    """It is a problem only at the start of a list item."""
    text = f"rules:\n  - id: a\n    reply: {{attachment_id: x}}\n    keywords:\n      {item}\n"
    assert codes(text) == (["space-after-dash"] if "\n" in item else [])


@pytest.mark.parametrize("word", ["bảng giá #km", "giảm #sale50"])
def test_a_hash_word_after_a_keyword_is_warned_about(word: str) -> None:
    """It may be a comment; with a space after # it certainly is one."""
    head = "rules:\n  - id: a\n    reply: {attachment_id: x}\n    keywords:\n      - "
    assert codes(f"{head}{word}\n") == ["hash-comment"]
    assert codes(f"{head}{word.replace('#', '# ')}\n") == []
    assert codes(f"{head}{word} là ghi chú\n") == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_is_recognised(encoding: str) -> None:
    """With or without its byte order mark."""
    assert found(GOOD.encode(encoding)) == [(1, 1, "not-utf8")]


def test_other_encodings_are_reported_at_their_first_byte() -> None:
    """Line and column are right, because all before it is text."""
    assert found("# giá\n# ".encode() + b"\xe9") == [(2, 3, "not-utf8")]


@pytest.mark.parametrize(
    "data", [b"", b"\n \n", b"\xef\xbb\xbf", b"# a", b"---\n# a\n", b"---\n...\n", b"~", b"null", b"[]", b"a"]
)
def test_a_file_without_rules_is_an_error(data: bytes) -> None:
    """An empty file must not look like a pass."""
    loaded = load(data)
    assert loaded.file is None
    assert len(loaded.problems) == 1


def test_a_file_may_have_only_a_fallback() -> None:
    """Every message gets the same image; a file with neither answers nothing."""
    assert codes("rules: []\nfallback: {reply: {attachment_id: x}}") == []
    assert codes("rules: []") == ["no-rules"]


def test_ten_megabytes_are_refused_at_once() -> None:
    """Without decoding them."""
    assert found(b"\xff" * 10_000_000) == [(1, 1, "too-big")]
    assert found(b" " * (MAX_BYTES + 1)) == [(1, 1, "too-big")]


def test_a_file_with_too_many_parts_is_refused() -> None:
    """At the first part over the limit: each key and value takes time, even in a small file."""
    item, others = "    - a\n", 12
    text = f"rules:\n- id: a\n  reply: {{attachment_id: x}}\n  keywords:\n{item * (MAX_PARTS - others)}"
    assert load(text.encode()).file is not None
    [problem] = load((text + item).encode()).problems
    assert (problem.line, problem.column, problem.code) == (MAX_PARTS - others + 5, 7, "too-big")
    assert "100 thousand keys" in problem.message("en")


def test_a_mistake_among_two_thousand_good_rules_is_found() -> None:
    """No rule with a mistake is silently left out."""
    good = "".join(RULE.replace("menu\n", f"menu-{n}\n", 1) for n in range(1_000))
    bad = "  - a\n" * 1_200
    loaded = load(f"rules:\n{good}{bad}".encode())
    assert loaded.file is None
    assert loaded.problems


N = 40_000


@pytest.mark.parametrize(
    "data",
    [
        b"[" * N, b"{" * N, b"- " * N, b"? " * N, b"a: " * N, b"-" * N, b":" * N, b'"' * N, b"'" * N, b"#" * N,
        b"&a " * N, b"*a " * N, b"!" * N, b"%" * N, b"|" * N, b"\t" * N + b"x", b"\t\n" * N, b" " * N + b"x", b"\n" * N,
        b"\x00" * N, b"a\x07" * N, "\u00a0 ".encode() * N, "“".encode() * N, "：".encode() * N, b"\xef\xbb\xbf" * N,
        b"rules:\n" + b"- a\n" * N, b"rules:\n" + b"- a: b\n" * N, b"rules:\n" + b"-x\n" * N, b"a: 1\n" * N,
        b"".join(b"k%d: v\n" % n for n in range(N)), b"rules: [" + b"1," * N + b"]", b"x" * N + b": 1",
        b"rules:\n- id: a\n  keywords:\n" + b"  - a: b\n" * N, b"---\n" * N,
        b"".join(b" " * n + b"a:\n" for n in range(400)),
        b'rules:\n- active: {hours: "8h' + b" " * N + b'x"}', b'rules:\n- active: {from: "' + b"1" * N + b'"}',
        b"rules:\n" + b'- id: "\n' * N, b"rules:\n" + b"\t- id: a\n" * N,
        b"rules:\n- id: a\n  reply: {image_url: " + b"a." * N + b"}",
        b"a: &a [x,x]\n" + b"".join(b"b%d: &b%d [*a,*a,*a]\n" % (n, n) for n in range(1000)),
    ],
    ids=lambda data: repr(data[:12]),
)  # fmt: skip
@pytest.mark.timeout(600)
def test_hostile_files_end_in_problems(data: bytes) -> None:
    """Bombs, deep nesting and long runs of one sign: the result comes in time, without deep recursion."""
    loaded = load(data)
    assert loaded.file is None
    assert loaded.problems
    lines = split_lines(data.decode())
    assert all(problem.line <= len(lines) for problem in loaded.problems)
