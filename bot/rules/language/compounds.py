"""Frequent two-word compounds with a word that looks like another frequent word without marks (kiểm tra, trả)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from bot.rules.language.text import Fit, Syllable, compat, syllables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Recognised even without any marks: the other word does not occur there.
_CLEAR = """
kiểm tra, điều tra, thanh tra, hôm qua, vừa qua, thông qua, trải qua, vượt qua, gia đình, quốc gia, chuyên gia,
đại gia, hoàng gia, gia lai, gia lâm, gia hạn, gia tăng, gia công, gia dụng, gia truyền, phụ gia, thương gia,
con gái, con trai, chia sẻ, chia tay, phi thường, phi công, phi hành, bình thường, khám phá, ban đêm, ban ngày,
ban nãy, ban công, ban đầu, đánh giá, đôi khi, khách quan, liên quan, cơ quan, quan trọng, quan tâm, thành phố,
thành công, ngân hàng, nhà hàng, cửa hàng, hành khách, tham gia, chiều qua, sáng qua, trưa qua
"""
# Recognised only with a fitting mark nearby, or if the sender types marks.
_OTHERS = """
gia vị, gia trưởng, gia giáo, gia tộc, gia nhân, thế gia, gia chủ, gia súc, gia cầm, gia phả, ghé qua, chạy qua,
đi qua, bỏ qua, qua lại, qua loa, qua đêm, qua đời, qua mặt, tối qua, đêm qua, hồi qua, bữa qua, bước qua, năm qua,
tháng qua, tuần qua, qua đây, qua đó, xem qua, tra cứu, tra từ, tra hỏi, tra xét, tra tấn, truy tra, thẩm tra,
tra khảo, tra mạng, khách hàng, mặt hàng, xếp hàng, hàng xóm, hàng ngày, hàng tuần, hàng tháng, hàng năm, hàng loạt,
hàng quán, hàng ghế, hàng rào, hàng đầu, hang động, giá trị, giá mà, giá như, giá đỗ, giá treo, giá đỡ, giá sách,
trả giá, định giá, đấu giá, vô giá, cô gái, cô giáo, cô dâu, cô đơn, cô bé, cô ấy, đôi lúc, đôi mươi, đôi mắt,
đôi bạn, đôi chút, cặp đôi, sinh đôi, trẻ con, con trẻ, con nít, con cháu, con dâu, con rể, bé con, vợ con, mẹ con,
con người, bà con, thằng con, đứa con, ban quản, ban giám, ban tổ, ủy ban, phát ban, trưởng ban, bàn bạc, bàn phím,
bàn tay, bàn chân, bàn chải, bàn ủi, bàn cãi, bàn tán, bán kính, bán đảo, bạn bè, bạn gái, bạn trai, bạn đọc,
mau chóng, mau lên, mau quên, mẫu giáo, mẫu số, mẫu mực, thu hút, thu nhập, thu hoạch, thu thập, thu dọn, thu gọn,
thu âm, mùa thu, trung thu, phi cơ, phi lý, phi vụ, phi lê, cà phê, phi trường, vé số, vệ sinh, thế giới, thế hệ,
ma túy, ma quỷ, ma thuật, ma sát, con ma, bóng ma, đám ma, mai mốt, mai kia, ngày mai, sáng mai, chiều mai, tối mai,
trưa mai, hoa mai, da thịt, làn da, da liễu, da đầu, ao cá, ao hồ, ao ước, ước ao, thơ ca, thơ tình, bài thơ,
nhà thơ, dưa hấu, dưa leo, dưa lưới, dưa cải, dưa chuột, dưa gang, chúng tôi, tôi luyện, bánh xe, bánh lái,
bánh răng, răng cưa, sửa soạn, mua chuộc, mua vui, mỡ máu, bao giờ, bao la, bao gồm, bao bọc, bao che, bao dung,
bao vây, bao tử, bao xa, bao lâu, bao tay, bao bì, bao phủ, hoa mắt, hoa hậu, hoa quả, tinh hoa, khoe khoang,
hành hạ, hành động, hành lá, hành lý, hành vi, hành trình, vận hành, khoai tây, khoai lang, xin lỗi, lỗi thời,
lỗi mốt, hẹp hòi, hen suyễn, ven biển, ven đường, đơn giản, đơn thân, đơn thuần, đơn điệu, đơn vị, hóa đơn, ăn năn,
ăn ý, ăn gian, ăn thua, ăn nhậu, khám xét, khám nghiệm, bác sĩ, ca sĩ, nghệ sĩ, si mê, si tình, lẻ loi, le lói,
so sánh, so đo, so với, số phận, do dự, do thám, tự do, lý do, do đó, mùi vị, mùi hôi, quần chúng, quần áo,
quần đảo, quan hệ, chủ quan, hải quan, quan chức, quan sát, quan niệm, tập quán, thành phần, thành tích, thành lập,
thành niên, thanh niên, thanh xuân, thanh minh, hôn nhân, cơm rang, rang tôm, rang muối, phong cách, phong cảnh,
phong phú, phong trào, phong tục, phong bì, phong độ, phòng ngừa, phòng thủ, đề phòng, giam giữ, tay nghề, tay chân,
mặt tiền, tiền bối, so bì, so ra, so kè, so găng, phi tiêu, phi tần, rang me, hang ổ, mon men, ao sen, quan điểm,
tham quan, cảnh quan, quan lại, đá banh, trái banh, phong thủy, phong thái, tiên phong
"""


def _listed(compounds: str) -> tuple[str, ...]:
    return tuple(compound.strip() for compound in compounds.replace("\n", " ").split(","))


class _Compound(NamedTuple):
    first: Syllable
    second: Syllable
    is_clear: bool


def _indexed() -> Iterator[tuple[tuple[str, str], _Compound]]:
    for compounds, is_clear in ((_listed(_OTHERS), False), (_listed(_CLEAR), True)):
        for compound in compounds:
            first, second = (syllables(word)[0] for word in compound.split())
            yield (first.letters, second.letters), _Compound(first, second, is_clear)


_COMPOUNDS: Final[Mapping[tuple[str, str], _Compound]] = MappingProxyType(dict(_indexed()))


def compound_of(
    first: Syllable, second: Syllable, *, types_marks: Callable[[], bool]
) -> tuple[Syllable, Syllable] | None:
    """
    Return the compound, with all its marks, that two typed words are; None if they are none or it is uncertain.

    *types_marks*: tells whether the sender types marks, so that a bare word is a word without marks.
    """
    found = _COMPOUNDS.get((first.letters, second.letters))
    if found is None or Fit.NO in {compat(first, found.first), compat(second, found.second)}:
        return None
    if found.is_clear or first.marks or second.marks or types_marks():
        return found.first, found.second
    return None


def may_be_compound(first: str, second: str) -> bool:
    """
    Return whether two words (folded) may be a compound with any marks.

    >>> may_be_compound("kiem", "tra"), may_be_compound("doi", "tra")
    (True, False)
    """
    return (first, second) in _COMPOUNDS
