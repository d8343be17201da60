"""Tiers of matching: typing variants of a keyword that are understood, and others that are not."""

from __future__ import annotations

import pytest

from bot.rules.matching.matcher import Hit, KeywordPattern, Matcher


def hit(text: str, *keywords: str, abbreviations: dict[str, str] | None = None) -> Hit | None:
    """Return the best hit of a rule with these keywords."""
    patterns = [KeywordPattern(0, keyword) for keyword in keywords]
    return Matcher(patterns, abbreviations=abbreviations or {}).hits(text).any.get(0)


READ = {
    "abbreviation": [
        ("shop có hàng hong", "hàng không"),
        ("cho e đặt 1 cái", "cho em đặt"),
        ("cho a đặt", "cho anh đặt"),
        ("xin đ/c shop", "địa chỉ"),
        ("k/o có hả", "không có"),
        ("xin s/đ/t", "số điện thoại"),
        ("ktra đơn giúp em", "kiểm tra đơn"),
        ("gặp nvien", "nhân viên"),
        ("đlịch 3 giờ chiều", "đặt lịch"),
        ("máy hết b.hành", "bảo hành"),
        ("t/góp 0%", "trả góp"),
        ("hphi bao nhiu", "học phí bao nhiêu"),
        ("gởi hàng", "gửi hàng"),
        ("hàng thiệt", "hàng thật"),
        ("muốn oder", "order"),
    ],
    "ambiguous": [
        ("kg biết giá", "không biết giá"),
        ("shop ơi ck dc ko", "chuyển khoản"),
        ("ck trước hay sao ạ", "chuyển khoản"),
        ("CK ạ?", "chuyển khoản"),
        ("số tk shop", "số tài khoản"),
        ("phí vc bao nhiêu", "phí vận chuyển"),
        ("máy còn bh không", "bảo hành"),
        ("cần tv size", "tư vấn"),
        ("bánh sn", "bánh sinh nhật"),
        ("bao nhieu xien", "bao nhiêu tiền"),
        ("đh của em đâu rồi", "đơn hàng"),
    ],
    "spelling": [
        ("làg nghề", "làng nghề"),
        ("thah toán sao", "thanh toán"),
        ("xjn giá", "xin giá"),
        ("fí ship", "phí ship"),
        ("bảng zá", "bảng giá"),
        ("mĩ phẩm", "mỹ phẩm"),
        ("lí do", "lý do"),
        ("kám ơn", "cám ơn"),
        ("kỉm tra đơn", "kiểm tra đơn"),
        ("mua dải", "mua vải"),
    ],
    "joined": [
        ("giá bao nhiêutiền", "giá bao nhiêu tiền"),
        ("số tàikhoản", "số tài khoản"),
        ("ởđâu vậy", "ở đâu"),
    ],
    "glued": [
        ("size38 còn không", "size"),
        ("có 2màu nào", "màu nào"),
        ("shopgiao hàng chưa", "giao hàng"),
        ("xingiá", "giá"),
        ("tra đơnnhé", "tra đơn"),
    ],
    "typo": [
        ("số tài khản", "số tài khoản"),
        ("phí yhiếu", "phí thiếu"),
        ("bagn giá", "bảng giá"),
        ("bao hniêu", "bao nhiêu"),
        ("cmbo 2 người", "combo"),
    ],
    "telex": [
        ("chuyeenr khoan", "chuyển khoản"),
        ("gias", "giá"),
        ("owr ddaau", "ở đâu"),
        ("d9o6i3 tra3", "đổi trả"),
        ("max qr", "mã qr"),
    ],
    "tone": [("giãm giá", "giảm giá"), ("đỗi size", "đổi size"), ("mở cữa", "mở cửa")],
}


@pytest.mark.parametrize(
    ("kind", "message", "keyword"), [(kind, *case) for kind, cases in READ.items() for case in cases]
)
def test_variants_that_are_understood(kind: str, message: str, keyword: str) -> None:
    """The keyword is found, and the hit has the kind of difference."""
    found = hit(message, keyword)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    ("message", "keyword", "why"),
    [
        ("mua cho ck mặc", "chuyển khoản", "a husband"),
        ("ck em khen đẹp", "chuyển khoản", "a husband"),
        ("bh shop mới có hàng lại", "bảo hành", "now"),
        ("sn 12 ngõ 5", "sinh nhật", "a house number"),
        ("con gái thi đh", "đặt hàng", "a university"),
        ("2 vc mình ăn ngon", "vận chuyển", "a couple"),
        ("coi tv suốt", "tư vấn", "television"),
        ("xien que", "tiền", "a word of its own, without the marks of xiền"),
        ("xl còn không", "xxl", "another size"),
        ("xxl còn không", "xl", "another size"),
        ("xxxl", "xl", "another size"),
        ("p 5", "pp", "one letter never becomes two"),
        ("zá", "già", "another tone"),
        ("fan", "phan", "a foreign word, and nothing else of the keyword"),
        ("phí shop", "phí ship", "a word of its own"),
        ("199k", "199", "numbers are whole"),
        ("2sp", "sp", "two letters beside digits"),
        ("sp0012", "sp001", "numbers are whole"),
        ("đổi bánh", "đổi bàn", "a word of its own"),
        ("đặt bánh", "đặt bàn", "a word of its own"),
        ("bagn gia", "bảng giá", "four letters, and the other word lacks its marks"),
        ("ocmbo", "combo", "another first letter, alone"),
        ("cos", "có", "three keys, alone"),
        ("xoong nồi", "xong nồi", "a word of its own"),
        ("gias", "gia", "the keys say another word"),
        ("mỡ", "mở", "hỏi and ngã in a keyword of one word"),
        ("đối trả", "đổi trả", "another tone"),
        ("đỗi trã", "đổi trả", "two words confused"),
    ],
)
def test_variants_that_are_not_understood(message: str, keyword: str, why: str) -> None:
    """They would be guesses without proof."""
    assert hit(message, keyword) is None, why


def test_abbreviations_of_the_shop_are_certain() -> None:
    """The shop knows what its customers mean."""
    assert hit("mua cho ck mặc", "chuyển khoản") is None
    found = hit("mua cho ck mặc", "chuyển khoản", abbreviations={"ck": "chuyển khoản"})
    assert found is not None
    assert found.kind == "abbreviation"
    assert hit("hđ chưa", "hàng đổi", abbreviations={"h/đ": "hàng đổi"}) is None
    assert hit("h/đ chưa", "hàng đổi", abbreviations={"h/đ": "hàng đổi"}) is not None


@pytest.mark.parametrize(
    ("message", "keyword"),
    [
        ("mình kiểm tra hàng rồi", "trả hàng"),
        ("minh kiem tra hang roi", "trả hàng"),
        ("hôm qua tặng mẹ", "quà tặng"),
        ("gia đình em đông", "giá"),
        ("gia dinh em dong", "giá"),
        ("em ở Gia Lai", "giá"),
        ("ngân hang nào", "hạng"),
        ("cửa hàng quần ao", "quán"),
    ],
)
def test_a_compound_does_not_match_a_keyword_without_marks(message: str, keyword: str) -> None:
    """The word beside it decides, with or without marks."""
    assert hit(message, keyword) is None


@pytest.mark.parametrize(
    ("message", "keyword"),
    [
        ("gia bao nhiêu vậy shop", "giá"),
        ("shop ơi cho hỏi gia với ạ", "giá"),
        ("tra hàng thì sao ạ", "trả hàng"),
        ("kiem tra hang", "kiểm tra hàng"),
        ("con hàng này không", "còn hàng"),
    ],
)
def test_outside_compounds_marks_may_be_left_out(message: str, keyword: str) -> None:
    """Whatever marks the other words have."""
    found = hit(message, keyword)
    assert found is not None
    assert found.kind == "unmarked"


def test_a_bare_word_beside_marked_ones_is_uncertain() -> None:
    """`qua` may be qua if `tặng` has its marks; not if both are bare, nor a word that must have marks."""
    doubts = {message: hit(message, "quà tặng") for message in ("em ghé qua tặng mẹ", "em có qua tang mẹ", "quà tặng")}
    assert {message: found.is_certain for message, found in doubts.items() if found} == {
        "em có qua tang mẹ": True,
        "quà tặng": True,
    }
    found = hit("chị qua tặng mẹ", "quà tặng")
    assert found is not None
    assert not found.is_certain
    found = hit("shop ơi doi size được không", "đổi size")
    assert found is not None
    assert found.is_certain


def test_hook_and_tilde_are_not_swapped_if_another_keyword_matches() -> None:
    """A shop that has both sữa and sửa."""
    patterns = [KeywordPattern(0, "mua sữa"), KeywordPattern(1, "mua sửa")]
    assert set(Matcher(patterns).hits("mua sửa").any) == {1}
    assert set(Matcher(patterns[:1]).hits("mua sửa").any) == {0}


def test_a_guess_excludes_nothing() -> None:
    """No typo, Telex, swapped tone or ambiguous abbreviation excludes a rule."""
    patterns = [KeywordPattern(0, "giá"), KeywordPattern(0, "giảm giá", role="exclude")]
    matcher = Matcher([*patterns, KeywordPattern(0, "chuyển khoản", role="exclude")])
    for message in ("giãm giá", "giamr giá", "giá ck ạ"):
        assert not matcher.hits(message).excluded, message
    for message in ("giảm giá", "giam gia", "giảmgiá"):
        assert matcher.hits(message).excluded, message
