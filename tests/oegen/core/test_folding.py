import pytest
from hypothesis import given
from hypothesis import strategies as st

from oegen.core.folding import excerpt, fold, marked, words_of


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Ærø  Strøm\tÅ/S", "aero strom a/s"),
        ("Łódź", "lodz"),
        ("GROẞE Straße", "grosse strasse"),
        ("Đuro", "duro"),
        ("e\u0301cole", "ecole"),
        ("\u202eabc\u202c", "abc"),
        ("a\x00b", "a b"),
        ("ﬁne ²", "fine 2"),
        ("☀️ park", "☀ park"),
    ],
)
def test_accents_case_and_white_space_fold_away(written, folded):
    assert fold(written) == folded


def test_a_query_has_each_word_once():
    assert words_of(" Sol sol\n SÖL moor ") == ["sol", "moor"]


def test_the_mark_stands_on_the_letters_as_they_were_written():
    assert marked("Ærø Strøm", ["aero"]) == "<mark>Ærø</mark> Strøm"
    assert marked("Große", ["s"]) == "Gro<mark>ß</mark>e"


def test_an_accent_of_its_own_is_inside_the_mark():
    assert marked("cafe\u0301 x", ["cafe"]) == "<mark>cafe\u0301</mark> x"


def test_marks_that_touch_or_overlap_are_one():
    assert marked("kestrel", ["kest", "strel"]) == "<mark>kestrel</mark>"


def test_markup_in_the_text_stays_text():
    assert marked("<b>moor</b>", ["moor"]) == "&lt;b&gt;<mark>moor</mark>&lt;/b&gt;"
    assert marked("a<mark>b", ["<mark>"]) == "a<mark>&lt;mark&gt;</mark>b"


def test_an_excerpt_of_a_long_text_shows_the_match_and_little_else():
    text = "before " * 500 + "Kestrel & more" + " after" * 500
    shown = excerpt(text, ["kestrel"])
    assert "<mark>Kestrel</mark> &amp; more" in shown
    assert shown.startswith("…before ")
    assert shown.endswith(" after…")
    assert len(shown) < 250


def test_an_excerpt_of_one_endless_word_shows_the_match():
    shown = excerpt("x" * 5000 + "kestrel" + "y" * 5000, ["kestrel"])
    assert "<mark>kestrel</mark>" in shown
    assert len(shown) < 250


@given(st.text(max_size=60), st.integers(0, 60), st.integers(1, 8))
def test_any_piece_of_a_text_that_is_found_is_marked_and_no_letter_is_lost(text, start, length):
    words = words_of(text[start : start + length])
    shown = marked(text, [word for word in words if word in fold(text)])
    plain = marked(text, [])
    assert shown.replace("<mark>", "").replace("</mark>", "") == plain
    assert fold(fold(text)) == fold(text)
