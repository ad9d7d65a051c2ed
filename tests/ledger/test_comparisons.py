"""Comparisons, tags and hostile names and values in the history's filters."""

import contextlib
import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fal_nb.errors import HistoryError

HOSTILE = [
    "x'; DROP TABLE records; --",
    'a" OR 1=1 --',
    "') OR ('1'='1",
    "%",
    "_",
    "*",
    "\ud800",
    "é\u202e",
    "r.id",
    "$.prompt",
    "a..b",
    "",
    "\0",
    "?1",
    "arg_",
]


@pytest.fixture
def ids(store, new):
    records = {
        "one": new(arguments={"prompt": "a", "seed": 1, "size": {"w": 10}}, tags=["keep", "b"], rating=1, created=1e9),
        "four": new(arguments={"prompt": "b", "seed": 4}, tags=["keep"], rating=4, estimate_high=0.02),
        "five": new(arguments={"prompt": "c", "seed": "many"}, rating=5, note="see #1"),
        "big": new(arguments={"prompt": "d", "seed": 2**70}),
    }
    return {word: store.add(record) for word, record in records.items()}


def found(store, ids, where):
    names = {record_id: word for word, record_id in ids.items()}
    return [names[record.id] for record in store.select(where)]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"rating": (">=", 4)}, ["four", "five"]),
        ({"rating": (">", 4)}, ["five"]),
        ({"rating": ("<", 4)}, ["one"]),
        ({"rating": ("<=", 4)}, ["one", "four"]),
        ({"rating": ("=", 4)}, ["four"]),
        ({"rating": ("!=", 4)}, ["one", "five", "big"]),
        ({"rating": ("!=", None)}, ["one", "four", "five"]),
        ({"rating": ("=", None)}, ["big"]),
        ({"rating": [(">", 1), ("<", 5)]}, ["four"]),
        ({"rating": (4, 5)}, ["four", "five"]),
        ({"estimate": ("<=", 0.02)}, ["four"]),
        ({"seed": (">=", 1)}, ["one", "four", "big"]),
        ({"seed": (">=", "a")}, ["five"]),
        ({"seed": 2**70}, ["big"]),
        ({"size.w": (">", 9)}, ["one"]),
        ({"prompt": (">", "b")}, ["five", "big"]),
        ({"created": ("<", "2002-01-01")}, ["one"]),
        ({"created": ("<", dt.date(2002, 1, 1))}, ["one"]),
        ({"tags": ("=", "keep")}, ["one", "four"]),
        ({"tags": ("!=", "keep")}, ["five", "big"]),
        ({"note": "see #1"}, ["five"]),
    ],
)
def test_comparisons_hold_between_numbers_or_between_texts(store, ids, where, expected):
    assert found(store, ids, where) == expected


def test_every_tag_asked_for_must_be_there(store, ids):
    from fal_nb.ledger.queries import Selection

    def with_tags(*tags):
        return [row[0] for row in store.select_rows(["record"], Selection(tags=tags))]

    assert with_tags("keep") == [ids["one"], ids["four"]]
    assert with_tags("keep", "b") == [ids["one"]]
    assert with_tags("keep", "nope") == []


@pytest.mark.parametrize("where", [{"rating": (">", None)}, {"tags": (">", "a")}, {"seed": ("<", {"a": 1})}])
def test_what_has_no_order_cannot_be_compared(store, ids, where):
    with pytest.raises(HistoryError):
        store.select(where)


@pytest.mark.parametrize("value", [("!=", 3), None, [None, 3], ("=", None)])
def test_a_misspelt_name_is_a_mistake_even_where_its_absence_would_match(store, ids, value):
    with pytest.raises(HistoryError, match="seed"):
        store.select({"sead": value})
    assert len(store.select({"seed": ("!=", 99)})) == 4


@pytest.mark.parametrize("value", [2**63, ("!=", 2**63), [2**400], (">", -(2**63) - 1)])
@pytest.mark.parametrize("name", ["seed", "rating", "prompt", "note"])
def test_numbers_beyond_64_bits_can_be_asked_for(store, ids, name, value):
    assert len(store.select({name: value})) <= 4
    assert store.select({"tags": 2**63}) == []


def test_a_time_that_is_none_is_named(store, ids):
    with pytest.raises(HistoryError, match="yesterdayish"):
        store.select({"created": (">", "yesterdayish")})


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_values_never_become_sql(store, ids, text):
    for value in (text, ("!=", text), (">", text), [text, None]):
        for name in (text, "prompt", "seed", "tags", "created"):
            with contextlib.suppress(HistoryError):
                store.select({name: value}, endpoint=text)
    assert store.count() == 4
    assert store.verify().is_sound


_VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
_FILTERS = st.one_of(
    _VALUES,
    st.lists(_VALUES, max_size=3),
    st.tuples(st.sampled_from(["<", "<=", ">", ">=", "!=", "=", "; --"]), _VALUES),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(st.text(max_size=20), st.sampled_from(["seed", "tags", "rating", "created"])), value=_FILTERS)
def test_whatever_is_asked_for_is_answered_or_refused_in_words(store, ids, name, value):
    with contextlib.suppress(HistoryError):
        assert len(store.select({name: value})) <= 4


@pytest.mark.parametrize(("written", "pair"), [(">=4", '(">=", 4)'), ("< 0.5", '("<", 0.5)'), ("!=3", '("!=", 3)')])
def test_a_comparison_written_as_a_text_is_no_search_that_finds_nothing(store, ids, written, pair):
    with pytest.raises(HistoryError) as caught:
        store.select({"rating": written})
    assert pair in str(caught.value)
    assert found(store, ids, {"prompt": ">=4"}) == []
