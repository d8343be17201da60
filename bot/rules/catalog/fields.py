"""Messages about the values of single fields, and about image files beside the rules file."""

from __future__ import annotations

from typing import Final

from bot.i18n import P

FIELDS: Final = (
    P("empty-text", "this text is empty; fill it in or delete it"),
    P(
        "damaged-text",
        "the letters of this text were destroyed when the file was saved in another encoding; type it again, and save "
        "the file as UTF-8",
    ),
    P(
        "damaged-text/near",
        "the letters of this text were destroyed when the file was saved in another encoding; write: {near} (and save "
        "the file as UTF-8)",
    ),
    P(
        "damaged-text/question-marks",
        'in "{word}" question marks stand where letters were: the file was saved in an encoding without Vietnamese; '
        "type it again, and save the file as UTF-8",
    ),
    P("bad-version", 'version must be 1, not "{word}"; write: version: 1'),
    P("bad-id", 'the id "{word}" cannot be used; only a-z, 0-9 and - are allowed, as in bang-gia'),
    P("bad-id/near", 'the id "{word}" may have only a-z, 0-9 and - (no marks, capitals or spaces); write: {near}'),
    P("bad-id/long", "the id is {size} characters long, the limit is {limit}; choose a shorter one"),
    P("duplicate-id", 'the id "{word}" is taken by the rule on line {line}; every rule needs its own'),
    P("bad-boolean", '"{word}" is not valid here; write true or false'),
    P("bad-boolean/near", 'write {near} instead of "{word}"; only true and false are valid here'),
    P("bad-number", '"{word}" is not valid here; write a whole number from {low} to {high}'),
    P("unknown-event", 'unknown event "{word}"; the events are {known}'),
    P("unknown-event/near", 'unknown event "{word}"; did you mean "{near}"?'),
    P("unknown-match", 'unknown kind of match "{word}"; the kinds are {known}'),
    P("unknown-match/near", 'unknown kind of match "{word}"; did you mean "{near}"?'),
    P("unknown-day", 'unknown day "{word}"; the days are {known}'),
    P("unknown-day/near", 'unknown day "{word}"; write: {near}'),
    P("unknown-timezone", 'unknown time zone "{word}"; for Vietnam write Asia/Ho_Chi_Minh'),
    P("unknown-timezone/near", 'unknown time zone "{word}"; write: {near}'),
    P("bad-date", '"{word}" is not a date; write year-month-day, as in 2027-01-20'),
    P("bad-date/near", 'write the date "{word}" as year-month-day: {near}'),
    P("bad-date/none", 'there is no day "{word}" in the calendar; write year-month-day, as in 2027-01-20'),
    P("date-order", 'the last day "{last}" comes before the first day "{first}"; correct one of them'),
    P("bad-hours", 'the hours "{word}" cannot be read; write them as "08:00-21:30"'),
    P(
        "bad-hours/several",
        "a rule has one span of hours; for a second one write another rule with the same keywords, and with its hours",
    ),
    P("bad-hours/near", 'write the hours "{word}" as "{near}"'),
    P("bad-hours/late", 'a day has 24 hours; if "{word}" goes past midnight, write "{near}"'),
    P("bad-hours/none", 'the hours "{word}" begin and end at the same time; for the whole day, delete hours'),
    P("bad-duration", '"{word}" is not a length of time; write it as 30s, 10m, 2h or 1d'),
    P("bad-duration/near", 'write the length of time "{word}" as {near}'),
    P("bad-duration/range", 'the length of time "{word}" must be more than 0 and at most {limit} days'),
    P("bad-oa", 'the OA id "{word}" may have only digits, as in 388613280878808645'),
    P(
        "bad-oa/excel",
        'Excel has shortened the OA id "{word}" and lost its last digits; copy the full id from OA Manager',
    ),
    P("flat-groups", "all_of is a list of groups, each in brackets of its own; write: all_of: {near}"),
    P("no-keywords", "this rule does not say when to answer; add keywords: [bảng giá] (or all_of, or pattern)"),
    P(
        "event-with-keywords",
        'a rule with "on: {event}" reads no text, so "{key}" means nothing; delete it, or the line "on"',
    ),
    P("comma-keyword", 'this is one single keyword with "{sign}" inside; if it is several, {apart}'),
    P("comma-keyword/quoted", "between these quotes is one single keyword; if it is several, {apart}"),
    P(
        "comma-keyword/alternatives",
        "this is one single keyword, met only by who types all of it; if it is several, {apart}",
    ),
    P("apart-brackets", "write: {near}"),
    P("apart-lines", "write each on a line of its own: {words}"),
    P(
        "no-image",
        'there is no picture; add image_url: "https://…", or file: name.jpg for a picture beside the rules file',
    ),
    P("two-images", 'a picture has "{first}" or "{second}", not both; to send two pictures, write two items with "- "'),
    P("bare-link", "image_url is missing before the link; write: {{{near}}}"),
    P("text-reply", 'this bot answers with pictures only, not with "{word}"; write reply: {{image_url: "https://…"}}'),
    P("http-url", "the link must begin with https; try: {near}"),
    P("url-no-scheme", "the link must begin with https://; write: {near}"),
    P("url-space", "a link has no spaces; copy it again, or write: {near}"),
    P("bad-url/scheme", "the link must begin with https://, and only once; write: {near}"),
    P("bad-url/tail", '"{word}" does not belong to the link; write: {near}'),
    P("bad-url/several", "these are several links; to send them all, write: reply: {near}"),
    P(
        "bad-url/several-each",
        "these are several links; write each in an item of its own: reply: [{{image_url: …}}, {{image_url: …}}]",
    ),
    P("bad-url/file", "this is the name of a file, not a link; write file instead of image_url: file: {near}"),
    P(
        "bad-url/attachment",
        "this looks like the id of an uploaded picture, not like a link; write: attachment_id: {near}",
    ),
    P("bad-url", '"{word}" is not a link to a picture; write all of it, as in https://shop.example/bang-gia.jpg'),
    P(
        "page-link",
        "this {site} link opens a web page, not the picture itself, and Zalo cannot fetch it; put the picture where "
        "its link ends in .jpg or .png",
    ),
    P("page-link/dropbox", "this Dropbox link opens a web page, not the picture itself; write: {near}"),
    P(
        "page-link/html",
        '"{word}" is a web page, not a picture; right-click the picture and copy the address of the image',
    ),
    P(
        "page-link/home",
        '"{word}" is the front page of a site, not a picture; links of pictures usually end in .jpg or .png',
    ),
    P("not-jpeg-png", 'Zalo takes only JPG and PNG pictures, not "{word}"; save the picture as .jpg or .png'),
    P("url-expires", "links like this stop working after some hours or days; put the picture where it can stay"),
    P("url-expires/date", "this link stops working on {until}; put the picture where it can stay"),
    P("url-expires/over", "this link stopped working on {until}; put the picture where it can stay"),
    P("url-placeholder", "this link still has the “…” of the sample; put in the real link of the picture"),
    P(
        "url-private",
        "only your own computer or network can open this link, Zalo cannot; put the picture on the internet",
    ),
    P(
        "url-marks",
        "the link has letters with marks, which not every server opens; rename the picture without marks, to be safe",
    ),
    P("uploaded-alone", '"uploaded" belongs to "attachment_id"; this picture does not need it, delete it'),
    P("weight-alone", '"weight" means something only inside "one_of"; delete it, or put the pictures into one_of'),
    P("attachment-is-link", "this is a link, not the id of a picture; use image_url instead of attachment_id"),
    P("attachment-space", 'the id "{word}" of the picture may have no spaces; copy it again'),
)

IMAGE_FILES: Final = (
    P(
        "file-path",
        "the picture must lie in the folder of the rules file or below it; copy it there and write: file: {near}",
    ),
    P("file-path/backslash", "folder and picture are separated by /; write: file: {near}"),
    P("file-path/link", '"{word}" leads out of the folder of the rules file; copy the picture itself into it'),
    P("file-is-link", "this is a link, not a file; use image_url instead of file"),
    P("file-missing", 'there is no file "{word}" beside the rules file; copy the picture there, or correct the name'),
    P("file-missing/near", 'there is no file "{word}"; did you mean "{near}"? (capital and small letters differ)'),
    P(
        "file-missing/folder",
        '"{word}" is a folder, not a picture; write the name of the picture too, as in file: images/menu.jpg',
    ),
    P("file-missing/unreadable", 'the file "{word}" cannot be opened; check its name, and whether it may be read'),
    P("file-type", 'the file "{word}" is no JPG and no PNG; save the picture as .jpg or .png'),
    P(
        "file-type/kind",
        'the file "{word}" is really a {kind}, and Zalo takes only JPG and PNG; open it and save it as .jpg or .png '
        "(a new name alone will not do)",
    ),
    P(
        "file-type/incomplete",
        'the file "{word}" ends in the middle of the picture; it is still being copied, or was not copied to its end: '
        "wait a little, or copy it again",
    ),
    P("file-type/empty", 'the file "{word}" is empty; perhaps it was not copied to its end, copy it again'),
    P(
        "file-too-big",
        'the picture "{word}" is {size}, and Zalo takes at most 1 MB; run: bot check --fix (the original is kept)',
    ),
    P("else-alone", '"else" stands in for a "file" or an "attachment_id"; "image_url" does not need it, delete it'),
)
