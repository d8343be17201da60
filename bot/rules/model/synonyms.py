"""Synonyms and typos of the keys and values of a rules file, and the word that is meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from typing import Literal

from bot.rules.language.slug import slug

Kind = Literal["key", "event", "day", "timezone", "match"]

# Valid word: what people write instead, without marks, capitals and spaces.
_KEYS = {
    "version": "phienban",
    "timezone": "muigio mui tz zone",
    "abbreviations": "viettat teencode tuviettat abbreviation shortcuts aliases",
    "typos": "saichinhta goisai typo fuzzy",
    "rules": "luat cacluat danhsach quytac rule",
    "fallback": "matdinh default else khongkhop khac",
    "id": "ten name ma title tenluat ruleid",
    "keywords": "tukhoa tukhoachinh keyword key keys trigger triggers when cauhoi words phrases patterns keywrod kw",
    "exclude": "loaitru tru khongco ignore except excludes excluded not unless tranh",
    "all_of": "tatca all and allof every_of gomca dongthoi",
    "pattern": "regex regexp re mau",
    "priority": "uutien douutien order prio thutu",
    "enabled": "bat active_flag status trangthai on_off kichhoat enable",
    "on": "sukien event khi khinao loaitin",
    "active": "thoigian hieuluc lich schedule time period khoangthoigian",
    "cooldown": "cho nghi delay wait giancach",
    "oa": "oaid oa_ids zalooa trangoa",
    "reply": "traloi phanhoi response responses answer answers respond replies tra_loi gui send anhtraloi then",
    "examples": "vidu example tests test thu mau_cau",
    "not_examples": "khongphaividu counterexamples nonexamples notexample not_example vidusai",
    "text": "chu noidung tu word value keyword tukhoa",
    "match": "kieu cachkhop mode type khop",
    "image_url": "url image img link hinh hinhanh anh duongdan linkanh picture photo src imageurl",
    "attachment_id": "attachment maanh idanh attachmentid token media_id",
    "file": "tep tapin path filename tenfile tentep",
    "else": "neukhong khac duphong anhduphong thaythe otherwise instead backup fallback fallback_url default",
    "uploaded": "ngaytai ngaytailen upload uploadedat uploaded_at date",
    "weight": "tile trongso ratio",
    "one_of": "motrong random ngaunhien any oneof any_of chonmot",
    "from": "tu tungay batdau start since begin fromdate from_date",
    "until": "den denngay ketthuc end to till untildate enddate",
    "days": "ngay thu day weekdays cacngay thutrongtuan",
    "hours": "gio hour khunggio giomocua time times",
    "every": "moi each cooldown lap",
}
_EVENTS = {
    "text": "vanban tinnhan chu message tin",
    "follow": "quantam theodoi followed oafollow",
    "image": "anh hinh hinhanh picture photo",
    "sticker": "nhandan",
    "gif": "anhdong",
    "audio": "giongnoi thoai amthanh voice ghiam",
    "video": "phim clip",
    "file": "tep taptin document",
    "location": "vitri diadiem map",
    "link": "duongdan lienket url",
    "business_card": "danhthiep card contact businesscard",
    "chat_now": "chatnow nhantinngay chat clickchatnow",
}
_DAYS = {
    "mon": "monday thu2 t2 thuhai hai 2",
    "tue": "tuesday tues thu3 t3 thuba ba 3",
    "wed": "wednesday thu4 t4 thutu tu 4",
    "thu": "thursday thur thurs thu5 t5 thunam nam 5",
    "fri": "friday thu6 t6 thusau sau 6",
    "sat": "saturday thu7 t7 thubay bay 7",
    "sun": "sunday chunhat cn thu8 t8 8",
}
_TIMEZONES = {
    "Asia/Ho_Chi_Minh": "vietnam vn hanoi asiahanoi saigon hochiminh asiavietnam gmt7 utc7 gmt07 utc07 ict"
    " asiahochiminh tphcm asiahochiminhcity 7 07 gmt0700 utc0700 0700",
}
_MATCHES = {
    "phrase": "cum cumtu default macdinh",
    "exact": "dung chinhxac equals equal whole full",
    "prefix": "batdau dautien startswith start starts",
    "contains": "chua contain substring any",
}
_SENT = re.compile(r"^(usersend|userclick|user|oa)(?=.)")


def _bare(word: str) -> str:
    return slug(word).replace("-", "")


def _read(table: dict[str, str]) -> dict[str, frozenset[str]]:
    return {own: frozenset(map(_bare, others.split())) for own, others in table.items()}


_TABLES = {
    "key": _read(_KEYS),
    "event": _read(_EVENTS),
    "day": _read(_DAYS),
    "timezone": _read(_TIMEZONES),
    "match": _read(_MATCHES),
}


def is_key(word: str) -> bool:
    """Return whether *word* is one of the keys of a rules file."""
    return word in _KEYS


def closest(word: str, allowed: Collection[str], kind: Kind) -> str | None:
    """
    Return the one of *allowed* that *word* most likely means.

    *kind* chooses the table: the same word may mean another thing as a key than as a day.
    """
    bare = _bare(word)
    bare = _SENT.sub("", bare) if kind == "event" else bare
    by_letters = {_bare(own): own for own in allowed}
    if bare in by_letters:
        return by_letters[bare]
    for own, others in _TABLES[kind].items():
        if own in allowed and bare in others:
            return own
    near = difflib.get_close_matches(bare[:40], by_letters, n=1, cutoff=0.7)
    return by_letters[near[0]] if near else None
