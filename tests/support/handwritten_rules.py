"""Rules files as people write them: every style of YAML that the loader takes, with comments in every place."""

from __future__ import annotations

import re

from hypothesis import strategies as st

_WORDS = ["giá", "bảng giá", "no", "'", "50%", "a: b", "#x", "a #b", "x, y", "-", "[z]", "{q}", "\u00a0", "\U0001f600"]
_KEYS = ["keywords", "exclude", "examples", "note", "priority", "oa", "reply", "cooldown"]
_COMMENT = st.sampled_from(["# ghi chú", "#", "# 'a' \"b\"", "# [x] {y}: - z"])
# What may follow a value on its line.
_TAIL = st.just("") | st.sampled_from(["", "  "]) | st.builds("{}{}".format, st.sampled_from([" ", "\t"]), _COMMENT)
_SCALAR = st.sampled_from(_WORDS).flatmap(lambda text: st.sampled_from(_quoted(text)))


def _quoted(text: str) -> list[str]:
    """Return the ways to write a text."""
    double = text.replace("\\", "\\\\").replace('"', '\\"')
    ways = ["'" + text.replace("'", "''") + "'", f'"{double}"']
    return [*ways, text] if re.fullmatch(r"\w[\w ]*", text) else ways


@st.composite
def _flow(draw: st.DrawFn, indent: int) -> list[str]:
    """Return a list between brackets, on one line or several; the first line follows the key."""
    items = draw(st.lists(_SCALAR, max_size=3))
    if items and draw(st.booleans()):
        lines = [f"{' ' * (indent + 2)}{item},{draw(_TAIL)}" for item in items]
        return [f" [{draw(_TAIL)}", *lines, f"{' ' * (indent + 1)}]{draw(_TAIL)}"]
    return [f" [{', '.join(items)}]{draw(_TAIL)}"]


@st.composite
def _block(draw: st.DrawFn, indent: int) -> list[str]:
    """Return a list of dashes, with comments and empty lines between them."""
    pad, lines = " " * (indent + draw(st.sampled_from([0, 2]))), [draw(_TAIL)]
    for item in draw(st.lists(_SCALAR, min_size=1, max_size=3)):
        lines += draw(st.sampled_from([[], [], [""], ["   "], [pad + draw(_COMMENT)], [draw(_COMMENT)]]))
        lines.append(f"{pad}-{draw(st.sampled_from([' ', '  ']))}{item}{draw(_TAIL)}")
    return lines


@st.composite
def _several_lines(draw: st.DrawFn, indent: int) -> list[str]:
    """Return a text over several lines: folded, literal, quoted or plain."""
    pad = " " * (indent + 2)
    style = draw(st.sampled_from([">", "|", ">-", "|-", "|+", '"', ""]))
    if style == '"':
        return [' "dòng một', f"{pad}# trong ngoặc", "", f'{pad}hết"{draw(_TAIL)}']
    if not style:
        return [" dòng một", f"{pad}dòng hai{draw(_TAIL)}"]
    inner = draw(st.lists(st.sampled_from(["dòng", "# không phải ghi chú", "- x", "a: b", "  thụt", ""]), max_size=3))
    return [f" {style}{draw(st.sampled_from(['', ' # chú']))}", f"{pad}đầu", *(f"{pad}{one}".rstrip() for one in inner)]


@st.composite
def _rule(draw: st.DrawFn, name: str, column: int) -> list[str]:
    pad, wide = " " * column, draw(st.sampled_from([1, 1, 3]))
    if draw(st.integers(0, 5)) == 0:
        first = f"{pad}- {{id: {name}, keywords: [a, 'b#c'],{draw(_TAIL)}"
        return [first, f"{pad}   reply: {{file: a.jpg}}}}{draw(_TAIL)}"]
    indent = column + 1 + wide
    lines: list[str] = []
    for key in draw(
        st.permutations(["id", *draw(st.lists(st.sampled_from(_KEYS), unique=True, min_size=1, max_size=4))])
    ):
        if lines:
            lines += draw(st.sampled_from([[], [], [""], [pad + draw(_COMMENT)], [" " * indent + draw(_COMMENT)]]))
        written = draw(st.sampled_from([key, key, f'"{key}"', f"'{key}'", f"{key} "]))
        scalar = st.builds(lambda text, tail: [f" {text}{tail}"], _SCALAR, _TAIL)
        values = st.one_of(scalar, _flow(indent), _block(indent), _several_lines(indent))
        value = [f" {name}{draw(_TAIL)}"] if key == "id" else draw(values)
        lines += [f"{' ' * indent}{written}:{value[0]}", *value[1:]]
    if draw(st.integers(0, 5)) == 0:  # the dash stands alone
        return [f"{pad}-{draw(st.sampled_from(['', ' # sau gạch']))}", *lines]
    return [f"{pad}-{' ' * wide}{lines[0][indent:]}", *lines[1:]]


@st.composite
def handwritten_files(draw: st.DrawFn) -> bytes:
    """Return a file of one to three rules, whose values need not make sense; with any line ends, and a BOM or none."""
    column = draw(st.sampled_from([0, 2, 4]))
    lines = [*draw(st.sampled_from([[], ["# đầu", ""], ["---"]])), "version: 1", f"rules:{draw(_TAIL)}"]
    for number in range(draw(st.integers(1, 3))):
        lines += draw(st.sampled_from([[], [""], ["# giữa"], [" " * column + "# giữa", ""]]))
        lines += draw(_rule(f"r{number}", column))
    lines += draw(st.sampled_from([[], ["", "# cuối"], ["fallback:", "  reply: {file: x.jpg}"], ["..."], ["   "]]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = newline.join(lines) + draw(st.sampled_from(["", newline, newline * 2]))
    return (draw(st.sampled_from(["", "\ufeff"])) + text).encode()
