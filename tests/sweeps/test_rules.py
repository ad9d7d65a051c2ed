import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.errors import GrammarError
from fal_nb.sweeps.rules import MISSING_VALUE, read_rule

VALUES = {
    "style": "bauhaus",
    "g": 4.5,
    "n": 3,
    "flag": True,
    "replace red": "sky blue",
    "none": MISSING_VALUE,
    "t": "08",
}
HOLDS = [
    "style == bauhaus", "style != ink", "style == 'bauhaus' and g > 4", "style == ink or n == 3.0", "not style == ink",
    "not (style == ink or n != 3) and g <= 4.5", "style in [ink, bauhaus]", "style not in [ink, oil]", "n in [1, 2, 3]",
    "flag == true", "`replace red` == sky blue", "none != 3", "t == 8", "t >= 8", "n < g", "g > n and style == bauhaus or none == 1",
    "not style in []",
]  # fmt: skip
FAILS = ["style == ink", "g > 4.5", "none == 3", "none < 3", "none > 3", "style < 4", "n in [1, 2]", "not flag == true"]


@pytest.mark.parametrize("text", HOLDS)
def test_a_rule_that_holds(text):
    assert read_rule(text, VALUES).holds(VALUES.__getitem__)


@pytest.mark.parametrize("text", FAILS)
def test_a_rule_that_does_not(text):
    assert not read_rule(text, VALUES).holds(VALUES.__getitem__)


@pytest.mark.parametrize(
    "text", ["", "style", "style ==", "== 3", "style == a b ( c", "(style == a", "style > red", "style in ink", "g = 3", "__import__('os')", "n == 1 2 == 3", "nn == 3"]
)  # fmt: skip
def test_what_is_no_rule_gets_one_line(text):
    with pytest.raises(GrammarError, match=r"^skip: "):
        read_rule(text, VALUES)


@given(st.lists(st.sampled_from(["style", "n", "==", "<", "in", "not", "and", "or", "(", ")", "[", "]", ",", "3", "red", '"', "`"]), max_size=20).map(" ".join) | st.text())  # fmt: skip
def test_any_text_is_a_rule_or_a_mistake(text):
    try:
        rule = read_rule(text, VALUES)
    except GrammarError as error:
        said = str(error)
    else:
        said = ""
        assert rule.holds(VALUES.__getitem__) in {True, False}
    assert len(said.splitlines()) <= 1
