"""Cross-field checks on the YAML tree, reported at every position involved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic_core import PydanticCustomError

from bot.rules.model import field_parsers
from bot.rules.model.damaged_text import has_question_marks_for_letters
from bot.rules.model.field_types import flow_text
from bot.rules.model.schema import Image
from bot.rules.problem import Phrase, Place, Problem, phrase
from bot.rules.reading.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode
from bot.zalo import EVENT_KINDS

_WAYS = ("keywords", "all_of", "pattern")
_OF_TEXTS = (*_WAYS, "exclude", "examples", "not_examples")
_PICTURES = ("image_url", "attachment_id", "file")
_IN_IMAGE = {field.alias or name for name, field in Image.model_fields.items()}


def contradictions(root: MappingNode) -> Iterator[Problem]:
    """Yield the contradictions between fields: two where one is allowed, one that needs another."""
    rules = [rule for rule in _items(root.get("rules")) if isinstance(rule, MappingNode)]
    yield from _same_ids(rules)
    for rule in rules:
        yield from _way_to_match(rule)
        yield from _dates(rule.get("active"))
        yield from _check_images(rule.get("reply"))
        yield from _texts(rule)
    fallback = root.get("fallback")
    if isinstance(fallback, MappingNode):
        yield from _check_images(fallback.get("reply"))
    listed = root.get("rules")
    if isinstance(listed, SequenceNode) and not listed.items and fallback is None:
        yield Problem.at(listed.place, "no-rules")


def head(node: Node) -> Place:
    """Return the place to report for *node*: for a block mapping, its first key."""
    if isinstance(node, MappingNode) and node.entries:
        first = next(iter(node.entries.values())).key.place
        if first[:2] == node.place[:2]:
            return first
    return node.place


def _items(node: Node | None) -> list[Node]:
    return node.items if isinstance(node, SequenceNode) else []


def _same_ids(rules: list[MappingNode]) -> Iterator[Problem]:
    lines: dict[str, int] = {}
    for rule in rules:
        name = rule.get("id")
        if isinstance(name, ScalarNode) and name.text:
            if name.text in lines:
                yield Problem.at(name.place, "duplicate-id", word=name.text, line=lines[name.text])
            lines.setdefault(name.text, name.place.line)


def _way_to_match(rule: MappingNode) -> Iterator[Problem]:
    kind = rule.get("on")
    on = kind.text if isinstance(kind, ScalarNode) else "text" if kind is None else ""
    if on == "text" and not any(key in rule.entries for key in _WAYS):
        yield Problem.at(head(rule), "no-keywords")
    if on != "text" and on in EVENT_KINDS:
        for key in _OF_TEXTS:
            if key in rule.entries:
                yield Problem.at(rule.entries[key].key.place, "event-with-keywords", key=key, event=on)


def _dates(active: Node | None) -> Iterator[Problem]:
    if not isinstance(active, MappingNode):
        return
    first, last = active.get("from"), active.get("until")
    if isinstance(first, ScalarNode) and isinstance(last, ScalarNode):
        try:
            wrong_way = field_parsers.calendar_date(first.text) > field_parsers.calendar_date(last.text)
        except PydanticCustomError:
            return  # reported by the field's parser
        if wrong_way:
            yield Problem.at(last.place, "date-order", first=first.text, last=last.text)


def _check_images(reply: Node | None) -> Iterator[Problem]:
    if isinstance(reply, MappingNode) and "one_of" in reply.entries:
        images, chosen = _items(reply.get("one_of")), True
    else:
        images, chosen = _items(reply) or [reply] if reply else [], False
    for image in images:
        if isinstance(image, MappingNode):
            yield from _check_image(image, chosen=chosen)


def _check_image(image: MappingNode, *, chosen: bool) -> Iterator[Problem]:
    given = [key for key in _PICTURES if key in image.entries]
    if not given and not image.entries.keys() - _IN_IMAGE:
        yield Problem.at(head(image), "no-image")
    if len(given) > 1:
        yield Problem.at(image.entries[given[1]].key.place, "two-images", first=given[0], second=given[1])
    if "uploaded" in image.entries and given and "attachment_id" not in given:
        yield Problem.at(image.entries["uploaded"].key.place, "uploaded-alone")
    if "weight" in image.entries and not chosen:
        yield Problem.at(image.entries["weight"].key.place, "weight-alone")
    if "else" in image.entries and given == ["image_url"]:
        yield Problem.at(image.entries["else"].key.place, "else-alone")


def _texts(rule: MappingNode) -> Iterator[Problem]:
    groups = _items(rule.get("all_of"))
    keywords = []
    for node in (rule.get("keywords"), rule.get("exclude"), *groups):
        is_flow = isinstance(node, SequenceNode) and node.is_flow
        for keyword in _items(node):
            keywords.append(keyword)
            yield from _keyword(keyword, is_flow=is_flow)
    sentences = [*_items(rule.get("examples")), *_items(rule.get("not_examples"))]
    for text in [*keywords, *sentences]:
        if isinstance(text, ScalarNode) and text.text and text.hidden:
            yield Problem.at(text.hidden.place, "hash-comment/after", word=text.hidden.text)


def _keyword(keyword: Node, *, is_flow: bool) -> Iterator[Problem]:
    text = keyword.get("text") if isinstance(keyword, MappingNode) else keyword
    if not isinstance(text, ScalarNode) or text.broken:
        return
    if has_question_marks_for_letters(text.text):
        yield Problem.at(text.place, "damaged-text/question-marks", word=text.text)
    if separator := field_parsers.SEPARATORS.search(text.text.strip(",; ")):
        code = "comma-keyword/quoted" if text.quoted else "comma-keyword"
        separate = _as_separate_keywords(field_parsers.SEPARATORS.split(text.text), is_flow=is_flow)
        yield Problem.at(text.place, code, sign=separator[0], apart=separate)
    elif text is keyword and field_parsers.ALTERNATIVES.search(text.text.strip()):  # {text: …} declares it as one
        separate = _as_separate_keywords(field_parsers.ALTERNATIVES.split(text.text), is_flow=is_flow)
        yield Problem.at(text.place, "comma-keyword/alternatives", apart=separate)


def _as_separate_keywords(parts: Iterable[str], *, is_flow: bool) -> Phrase:
    """Return how to write several keywords in place of one."""
    texts = [flow_text(part.strip()) for part in parts if part.strip()]
    if is_flow:
        return phrase("apart-brackets", near=", ".join(texts))
    return phrase("apart-lines", words=tuple(f"- {text}" for text in texts))
