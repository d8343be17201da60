"""Lint messages about valid rules: conflicts, doubtful keywords, patterns, failing examples."""

from __future__ import annotations

from typing import Final

from bot.i18n import P

LINTING: Final = (
    P(
        "never-wins",
        'the rule "{word}" can never answer: all its keywords go to the rule "{other}" (line {line}) {why}; delete '
        "this rule or change its keywords",
    ),
    P(
        "never-wins/event",
        'the rule "{word}" can never answer: "on: {event}" always goes to the rule "{other}" (line {line}) {why}; '
        "delete one of the two, or limit when each answers (active, oa)",
    ),
    P(
        "same-keyword",
        '"{word}" is also a keyword of the rule "{other}" (line {line}), which wins {why}; delete it from one of the '
        "two",
    ),
    P(
        "losing-keyword",
        'messages with "{word}" go to the rule "{other}" (line {line}): it has the keyword "{its}" and a higher '
        "priority; check the priority of both",
    ),
    P(
        "everyday-keyword/punctuation",
        '"{word}" stands in very many messages, and this rule would answer them all; write words instead',
    ),
    P(
        "everyday-keyword/punctuation-exclude",
        '"{word}" stands in very many messages, and this rule would answer none of them; write words instead',
    ),
    P(
        "unmarked-keyword",
        "{words}: typed without marks; write keywords with all their marks, so that the bot can tell one word from "
        "another: customers who leave the marks out still match",
    ),
    P(
        "unmarked-keyword/near",
        "{words}: typed without marks; write: {near} (customers who leave the marks out still match)",
    ),
    P(
        "exact-in-all-of",
        '"match: exact" wants the whole message to be "{word}", which then has no word of the other groups; '
        "delete the match here",
    ),
    P(
        "compound-keyword",
        '"{word}" is part of "{sentence}", which means something else, and this rule answers it; if it should not, '
        'add "{compound}" to exclude',
    ),
    P("why-priority", "because its priority is higher"),
    P("why-first", "because it is written first"),
    P("why-unmarked", "because the keyword there has no marks"),
    P(
        "twin-keyword/short",
        'customers who type "{short}" mean "{word}" or "{its}" of the rule "{other}" (line {line}), which answers '
        "«{short}» alone; say under abbreviations what it means in your shop",
    ),
    P(
        "twin-keyword",
        'typed without marks, "{word}" looks the same as "{its}" of the rule "{other}" (line {line}), which answers '
        "{why}; more words would tell them apart",
    ),
    P(
        "everyday-keyword",
        '"{word}" stands in nearly every message, so this rule would answer almost everything; use a longer phrase',
    ),
    P(
        "everyday-keyword/twin",
        'typed without marks, "{word}" looks the same as "{common}", which stands in nearly every message; use a '
        "longer phrase",
    ),
    P(
        "redundant-keyword",
        '"{word}" is not needed: the keyword "{other}" also matches what is typed without marks; delete it',
    ),
    P("redundant-keyword/same", '"{word}" is already there on line {line} of this rule; delete one of them'),
    P(
        "literal-keyword",
        '"{word}" matches only "{word}" without marks; if you mean "{near}", write it so: both "{near}" and "{word}" '
        "will match",
    ),
    P(
        "literal-keyword/unsure",
        '"{word}" matches only "{word}" without marks; if the word has marks, write them: customers who leave them '
        "out still match",
    ),
    P(
        "contains-keyword",
        '"match: contains" finds "{word}" even inside other words and may answer by mistake; use phrase if you can',
    ),
    P("keyword-too-long", "this keyword has {size} words, the limit is {limit}; keep only the few that matter"),
    P(
        "exclude-kills",
        'the exclude "{word}" is part of this rule\'s own keyword "{keyword}" (line {line}), which can therefore '
        "never match; delete one of the two",
    ),
    P(
        "exclude-kills/mostly",
        'the exclude "{word}" is also part of this rule\'s own keyword "{keyword}" (line {line}), which will '
        "therefore hardly ever match; look at the two again",
    ),
    P("abbreviation-words", 'the abbreviation "{word}" must be one word of letters and digits, or it is never met'),
    P(
        "attachment-old",
        "this picture was uploaded {days} days ago; ids expire after 7 days, so upload it again and replace the id "
        "before {until}",
    ),
    P(
        "attachment-old/expired",
        "this picture was uploaded {days} days ago; its id has expired (after 7 days) and cannot be sent: upload it "
        "again and replace the id",
    ),
    P("attachment-old/future", 'the day of the upload "{word}" is yet to come; check the date'),
    P(
        "attachment-undated",
        "the id of a picture expires after 7 days; add the day of the upload, so that you are reminded: uploaded: "
        "{today}",
    ),
    P(
        "active-over",
        'the time of this rule was over on {until}; delete the rule, change the date, or write "enabled: false"',
    ),
    P(
        "pattern-not-installed",
        '"pattern" needs the package google-re2; run: pip install "zalo-picture-bot[regex-rules]"',
    ),
    P("pattern-marks", "a pattern is tried on the message without marks, so it may have none; write: {near}"),
    P(
        "pattern-backspace",
        "inside double quotes \\b is no word boundary any more; put the pattern in single quotes '…'",
    ),
    P("pattern-everything", "this pattern matches every message, even an empty one; make it stricter"),
    P("pattern-invalid", "RE2 cannot read this pattern; look at it again, or use keywords, which are simpler"),
    P(
        "pattern-invalid/bracket",
        "a bracket ( ) or [ ] of the pattern has no partner; to look for a bracket itself, write \\ before it",
    ),
    P("pattern-invalid/escape", '"{part}" in the pattern means nothing to RE2; take it out'),
    P(
        "pattern-invalid/repeat",
        'the repetition "{part}" in the pattern is misplaced or too large; to look for the sign itself, write \\ '
        "before it",
    ),
    P("pattern-invalid/look", 'RE2 does not support "{part}" in a pattern; use exclude, or write it another way'),
    P("example-fails", 'the example "{word}" is answered not by this rule but by "{other}" (line {line}), {why}'),
    P("example-fails/excluded", 'the example "{word}" is kept out because of "{part}" in exclude (line {line})'),
    P(
        "example-fails/nothing",
        'the example "{word}" matches no keyword of this rule{near}; add a keyword or correct the example',
    ),
    P(
        "example-fails/other",
        'the example "{word}" matches no keyword of this rule{near}; the rule "{other}" (line {line}) answers it '
        "because of {part}",
    ),
    P(
        "not-example-fails",
        'this rule does answer "{word}" (of not_examples) because of {part}; add an exclude or change the keyword',
    ),
    P("beaten-priority", "because its priority is higher ({theirs} against {ours})"),
    P("beaten-certainty", "because its match is surer: {theirs} against {ours}, which lacks marks here"),
    P("beaten-words", "because it matches more words: {theirs} against {ours}"),
    P("beaten-marks", "because its marks match better: {theirs} against {ours}"),
    P("beaten-spread", "because it matches the whole message or its beginning: {theirs} against {ours}"),
    P("beaten-letters", "because it matches more letters: {theirs} against {ours}"),
    P("beaten-first", "because it is written first and both match equally well: {theirs}"),
    P("a-pattern", "a pattern"),
    P("near-keyword", ' (the nearest is "{word}")'),
    P("near-keyword/marks", ' (the nearest is "{word}", but "{typed}" has other marks)'),
)
