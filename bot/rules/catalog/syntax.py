"""Messages about the syntax of a rules file: encoding, indentation, quotes, brackets, keys."""

from __future__ import annotations

from typing import Final

from bot.i18n import P

#: Characters and the form of the file.
FILE: Final = (
    P("too-big", "the file is {size}, the limit is {limit}; is it the right file?"),
    P(
        "too-big/parts",
        "the file has more than {thousands} thousand keys and values, and the bot takes no more; delete rules or "
        "keywords",
    ),
    P(
        "not-utf8",
        "the file is not saved as UTF-8 (byte {byte} here); open it and save it again with the encoding UTF-8",
    ),
    P(
        "not-utf8/utf16",
        "the file is saved as UTF-16 (Notepad calls it “Unicode”); save it again with the encoding UTF-8",
    ),
    P("empty-file", "the file is empty; write at least one rule under a line rules:"),
    P(
        "empty-file/comments",
        "the file holds only comments (lines that begin with #); write at least one rule under a line rules:",
    ),
    P("no-top", 'the file must consist of keys like version: 1 and rules:, but this is only the text "{word}"'),
    P("no-top/list", "the line rules: is missing above this list; add it, with the rules indented below"),
    P("no-rules", "there is no rule and no fallback, so nobody would get an answer; write at least one rule"),
    P("control-character", "there is an invisible character ({char}) that does not belong here; delete it"),
    P(
        "line-separator",
        "the line is broken by an unusual character ({char}), perhaps pasted from Word or a web page; delete it and "
        "press Enter",
    ),
    P("stray-line/fence", "the line {sign} comes from a chat or a web page and is no part of the rules; delete it"),
    P(
        "stray-line/merge",
        "this line was left where two versions of the file were merged; keep what you want of the two, and delete the "
        "lines that begin with <<<<<<<, ======= and >>>>>>>",
    ),
    P("stray-line/comment", 'a comment begins with # and a space, not with "{sign}"'),
    P(
        "stray-line/excel",
        "every line stands in quotes, as Excel saves it; take the outer quotes away, or copy the rules into a plain "
        "text file",
    ),
    P("tab", "this line is indented with a tab; replace it by spaces"),
    P("tab/more", "this line and {more} more are indented with tabs; replace all tabs by spaces"),
    P(
        "odd-space",
        "this is not a plain space but {char}, as comes with text pasted from Word or a chat; type the space again",
    ),
    P("dash", '"{char}" is not the minus sign; an item of a list begins with "-" and a space'),
    P("space-after-dash", 'a space is missing after "-"; write: - {word}'),
    P("space-after-colon", 'a space is missing after the colon; write "{word}: " and then the value'),
    P(
        "full-width-colon",
        'this is the wide colon "：" of Chinese and Japanese keyboards; type "{word}: " with a plain ":"',
    ),
    P("equals-sign", '"{word}" is followed by a colon, not by an equals sign; write: {word}: …'),
)

#: Lists, keys, quotes and brackets.
YAML: Final = (
    P("not-yaml", "this cannot be read; compare with the other rules: colons, brackets, indentation"),
    P("curly-quotes", 'curly quotes “ ” (Word and phones put them in) do not work here; type straight ones: "'),
    P(
        "bad-escape",
        'inside double quotes "{word}" means nothing; use single quotes \' around the text, or write \\\\ for \\',
    ),
    P(
        "unclosed-quote/end",
        "the file ends in the middle of this; it was not saved whole: save it again, or write the rest",
    ),
    P("unclosed-quote", "the quote {sign} opened here is never closed; add {sign} at the end of the text"),
    P(
        "text-after-quote",
        '"{word}" stands after the closing quote; put the whole text in one pair of quotes, or use none',
    ),
    P("text-after-quote/bracket", '"{word}" stands after the closing bracket; delete it or put it inside'),
    P("missing-brackets", "several items with commas between them need brackets; write: {near}"),
    P(
        "unclosed-bracket/end",
        "the file ends in the middle of this; it was not saved whole: save it again, or write the rest",
    ),
    P("unclosed-bracket", "the bracket {sign} opened here is never closed; add {close} at the end"),
    P("stray-bracket", "this {sign} closes nothing; delete it, or put the text in quotes"),
    P("stray-comma", "there is nothing before this comma; delete it or fill in what is missing"),
    P("wrong-bracket", "the bracket was opened with {opening}, so close it with {close}, not {sign}"),
    P("missing-comma", 'a comma is missing before "{word}"; between brackets, items are separated by commas'),
    P("hash-comment", "what follows # is taken for a comment and ignored; put it in quotes: {near}"),
    P(
        "hash-comment/after",
        '"{word}" is taken for a comment and ignored; if it belongs to the text before it, put the whole in quotes; '
        "if it is a comment, write a space after #",
    ),
    P("special-start", "a text that begins with {sign} must stand in quotes; write: {near}"),
    P("alias", 'a text that begins with * must stand in quotes; write: "{word}"'),
    P("anchor", 'a text that begins with & must stand in quotes; here "{word}" means something else'),
    P("tag", "a text that begins with ! must stand in quotes; here it means something else"),
    P(
        "indentation/dash",
        'this "-" is indented deeper than that of the list (leading spaces: {indent}, should be {wanted}), so the line '
        'counts as part of the one above: "{word}"',
    ),
    P(
        "dash-on-line/below",
        'this line begins with "-", but counts as part of the text above: "{word}"; begin every item of the list with '
        '"- ", the first one too, each on a line of its own',
    ),
    P(
        "indentation/joined",
        'this line counts as part of the one above: "{word}"; if it is an item of its own, put "- " in front',
    ),
    P("dash-on-line", 'the "-" of a list begins a new line; press Enter before it'),
    P("dash-on-line/brackets", 'items between brackets have no "-" in front; delete it'),
    P("no-colon/key", 'a colon is missing after "{word}"; write: {word}: …'),
    P("no-colon/end", "the file ends in the middle of this; it was not saved whole: save it again, or write the rest"),
    P("no-colon", 'a colon and a space are missing after "{word}"; if it continues the line above, indent it more'),
    P("colon-in-text/nested", "two keys one behind the other; write: {near}"),
    P(
        "colon-in-text/two-keys",
        '"{word}" is a key of its own; press Enter before it, and align it with the other keys',
    ),
    P("colon-in-text", "the colon in the middle gives this another meaning; put the whole in quotes: {near}"),
    P("indentation", "this line is not aligned with those it belongs to (leading spaces: {indent}); align it"),
    P(
        "indentation/wanted",
        "this line has {indent} leading spaces, but {wanted} are wanted, as on line {line}",
    ),
    P(
        "indentation/inside",
        '"{word}" belongs inside "{key}"; indent it deeper than "{key}" by two spaces',
    ),
    P(
        "indentation/top-key",
        '"{word}" belongs at the left margin, not inside another key; delete the {indent} spaces before it, and as '
        "many on the lines below that belong to it",
    ),
    P("indentation/top", "this line does not fit the lines above it; look at those: colons, indentation"),
    P("too-deep", "lists and brackets are nested too deeply here; no rules file needs that"),
    P("complex-key", "before the colon there must be one word like id or keywords; write this line again"),
    P("several-documents", 'this "{sign}" cuts the file in two and all below it would be ignored; delete it'),
    P("duplicate-key", '"{word}" is already given on line {line}; join the two or delete one'),
    P("duplicate-key/rule", '"id" is already given on line {line}; if a new rule begins here, put "- " in front'),
    P("unknown-key", 'unknown key "{word}" {where}; the keys are {known}'),
    P("unknown-key/near", 'unknown key "{word}" {where}; did you mean "{near}"?'),
    P("unknown-key/elsewhere", '"{word}" does not belong {where} but {home}; check the indentation'),
    P(
        "unknown-key/in-reply",
        '"{word}" belongs inside reply, not straight into the rule; write: reply: {{{word}: …}}',
    ),
    P("unknown-key/beside-one-of", '"{word}" cannot stand beside "one_of"; put every picture into the list of one_of'),
    P("in-file", "at the top level"),
    P("in-rule", "in a rule"),
    P("in-fallback", "in fallback"),
    P("in-keyword", "in a keyword"),
    P("in-image", "in a picture of reply"),
    P("in-else", "in else"),
    P("in-active", "in active"),
    P("missing-key/rules", '"rules" is missing; add a line rules: with the rules below it'),
    P("missing-key/id", '"id" is missing; give this rule a name of its own, as in id: bang-gia'),
    P("missing-key/reply", '"reply" is missing; add the picture to answer with: reply: {{image_url: "https://…"}}'),
    P(
        "missing-key/image_url",
        '"image_url" is missing; write the link of the picture that stands in: else: {{image_url: "https://…"}}',
    ),
    P("missing-key/text", '"text" is missing from this keyword; write {{text: giá, match: exact}}'),
    P("empty-value", 'nothing is written after "{key}:"; fill it in or delete the line'),
    P("empty-value/item", 'this item of "{key}" is empty; fill it in or delete it'),
    P("not-text", '"{key}" takes one text, not a list or keys of its own'),
    P(
        "not-a-list",
        '"{key}" must be a list; write it in brackets [a, b], or each item on a line that begins with "- "',
    ),
    P("not-a-list/near", '"{key}" must be a list; write: {key}: {near}'),
    P("not-a-mapping", '"{key}" must consist of keys with values; compare with the other rules'),
    P(
        "not-a-mapping/active",
        'write it in keys, as in active: {{from: 2027-01-20, until: 2027-02-20, hours: "08:00-21:30"}}',
    ),
    P(
        "not-a-mapping/fallback",
        'fallback needs the key reply inside; write: fallback: {{reply: {{image_url: "https://…"}}}}',
    ),
    P(
        "not-a-mapping/abbreviations",
        "write every abbreviation with its meaning, as in abbreviations: {{bn: bao nhiêu, ib: nhắn tin}}",
    ),
    P(
        "not-a-mapping/rule",
        'a rule consists of id, keywords and reply; write "- id: …" and the other keys on the lines below',
    ),
    P("not-a-mapping/keyword-list", "the list already is in brackets; take the inner ones away: {near}"),
    P("not-a-mapping/fallback-list", 'fallback is no list; delete the "- " at the beginning of this line'),
    P(
        "not-a-mapping/image",
        'a picture of "{key}" is written as {{image_url: …}}; take the inner brackets or dashes away',
    ),
    P(
        "not-a-mapping/keyword",
        'this item of "{key}" must be a text, not a list; take out the inner brackets or the second "-"',
    ),
    P("rules-no-list", 'below rules: every rule begins with a dash and a space; write "- id: …"'),
    P("empty-list", 'the list "{key}" is empty; give at least one item or delete "{key}"'),
    P("too-long", "this is {size} characters long, the limit is {limit}; shorten it"),
    P("bad-value", 'the value of "{key}" cannot be used'),
    P("more-problems", "{count} more problems are not shown; mend these first and check again"),
    P("more-problems/warnings", "{count} more warnings are not shown; look at these first and check again"),
)
