import datetime as dt
import time

import pytest

from fal_nb.errors import HistoryError

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@pytest.fixture
def ids(store, new):
    """Five records that differ, by a word for each."""
    records = {
        "fox": new(
            arguments={"prompt": "a fox", "guidance": 3.5, "image_size": {"width": 512}, "seed": 1}, tags=["a", "b"]
        ),
        "owl": new(arguments={"prompt": "an owl", "guidance": 2, "safe": True}, endpoint="fal-ai/flux/schnell"),
        "said": new(arguments={"text": "hello", "state": "NY"}, endpoint="fal-ai/kokoro", state="FAILED", owner="me"),
        "odd": new(arguments={"prompt": "x'; DROP TABLE records; --", "a.b": 1}, tags=["b"], rating=5),
        "none": new(arguments={"prompt": None, "guidance": None}, endpoint="other/[x]", created=NOON.timestamp()),
    }
    return {word: store.add(record) for word, record in records.items()}


def found(store, ids, **filters):
    names = {record_id: word for word, record_id in ids.items()}
    return [names[record.id] for record in store.select(**filters)]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, ["fox", "owl", "said", "odd", "none"]),
        ({"state": "FAILED"}, ["said"]),
        ({"prompt": "a fox"}, ["fox"]),
        ({"prompt": "hello"}, ["said"]),
        ({"text": "hello"}, ["said"]),
        ({"prompt": ["a fox", "an owl"]}, ["fox", "owl"]),
        ({"prompt": None}, ["none"]),
        ({"guidance": 2}, ["owl"]),
        ({"guidance": 2.0}, ["owl"]),
        ({"guidance": (2, 3.5)}, ["fox", "owl"]),
        ({"guidance": None}, ["said", "odd", "none"]),
        ({"guidance": [2, None]}, ["owl", "said", "odd", "none"]),
        ({"safe": True}, ["owl"]),
        ({"image_size": {"width": 512}}, ["fox"]),
        ({"image_size.width": 512}, ["fox"]),
        ({"seed": 1}, ["fox"]),
        ({"arg_state": "NY"}, ["said"]),
        ({"tags": "b"}, ["fox", "odd"]),
        ({"tags": ["a", "z"]}, ["fox"]),
        ({"tags": None}, ["owl", "said", "none"]),
        ({"rating": 5}, ["odd"]),
        ({"rating": range(6)}, ["odd"]),
        ({"owner": "me", "state": "FAILED"}, ["said"]),
        ({"owner": "me", "state": "QUEUED"}, []),
        ({"state": []}, []),
        ({"prompt": "x'; DROP TABLE records; --"}, ["odd"]),
    ],
)
def test_where_filters_by_column_argument_or_tag(store, ids, where, expected):
    assert found(store, ids, where=where) == expected


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("fal-ai/flux/dev", ["fox", "odd"]),
        ("fal-ai/flux", []),
        ("fal-ai/flux/*", ["fox", "owl", "odd"]),
        (["fal-ai/kokoro", "*schnell"], ["owl", "said"]),
        ("other/[x]", ["none"]),
        ("other/[x*", ["none"]),
        ([], []),
    ],
)
def test_endpoint_is_exact_and_a_star_stands_for_anything(store, ids, endpoint, expected):
    assert found(store, ids, endpoint=endpoint) == expected


def test_state_is_taken_in_any_case_and_as_a_list(store, ids):
    assert found(store, ids, state="failed") == ["said"]
    assert found(store, ids, state=["failed", "prepared"]) == ["fox", "owl", "said", "odd", "none"]


def test_limit_takes_the_newest_and_gives_them_newest_last(store, ids):
    assert found(store, ids, limit=2) == ["odd", "none"]
    assert found(store, ids, limit=2, endpoint="fal-ai/*", where={"tags": None}) == ["owl", "said"]
    assert found(store, ids, limit=0) == []
    assert found(store, ids, limit=-3) == []


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (NOON, ["none"]),
        (NOON + dt.timedelta(seconds=1), []),
        (NOON.timestamp(), ["none"]),
        ("2026-11-21T12:00:00+00:00", ["none"]),
        ("2026-11-21T12:00:00Z", ["none"]),
        ("2026-11-21T14:00:00+02:00", ["none"]),
        (dt.date(2026, 1, 1), ["fox", "owl", "said", "odd", "none"]),
        ("2026-01-01", ["fox", "owl", "said", "odd", "none"]),
    ],
)
def test_since_is_a_moment_in_many_forms(store, ids, since, expected):
    assert found(store, ids, since=since) == expected


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("90s", []),
        ("2m", ["recent"]),
        ("1.5h", ["recent"]),
        (" 3D ", ["recent", "yesterday"]),
        ("1w", ["recent", "yesterday"]),
        (dt.timedelta(days=2), ["recent", "yesterday"]),
    ],
)
def test_since_counts_back_from_now(store, new, since, expected):
    now = time.time()
    ids = {"recent": store.add(new(created=now - 100)), "yesterday": store.add(new(created=now - 86400 - 60))}
    assert sorted(found(store, ids, since=since)) == sorted(expected)


def test_since_today_begins_at_local_midnight(store, new):
    midnight = dt.datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    ids = {"before": store.add(new(created=midnight - 1)), "after": store.add(new(created=midnight))}
    assert found(store, ids, since="today") == ["after"]
    assert found(store, ids, since=" Today") == ["after"]


@pytest.mark.parametrize(
    ("filters", "word"),
    [
        ({"since": "yesterdayish"}, "yesterdayish"),
        ({"where": {"artifacts": "x"}}, "artifacts"),
        ({"where": {"prompt": object()}}, "prompt"),
        ({"where": {'a"b': 1}}, 'a"b'),
        ({"where": {"a\\b": 1}}, "cannot be filtered"),
        ({"where": {"a\0b": 1}}, "cannot be filtered"),
    ],
)
def test_a_filter_that_cannot_be_understood_is_named(store, ids, filters, word):
    with pytest.raises(HistoryError) as caught:
        store.select(**filters)
    assert word in str(caught.value)


def test_a_name_that_no_record_has_is_a_mistake_with_the_nearest_names(store, ids):
    with pytest.raises(HistoryError, match="guidance"):
        store.select({"guidence": 2})
    with pytest.raises(HistoryError, match=r"Nearest: .*state"):
        store.select({"state": "QUEUED", "stat": "FAILED"})
    with pytest.raises(HistoryError, match=r"called 'sed'\. Nearest: (?!.*\bseed\b.*\bseed\b).*seed"):
        store.select({"sed": 3})
    assert store.select({"guidance": 99}) == []
    assert store.select({"image_size.height": 99}) == []


def test_an_empty_history_calls_no_name_a_mistake(store):
    assert store.select({"guidence": 2}) == []


def test_numbers_of_numpy_can_be_filtered_by(store, ids):
    numpy = pytest.importorskip("numpy")
    assert found(store, ids, where={"guidance": numpy.int64(2)}) == ["owl"]
    assert found(store, ids, where={"rating": [numpy.int64(5)]}) == ["odd"]


@pytest.mark.parametrize(
    "text", ["a fox", 'say "no"', "back\\slash", "tab\tand\nline", "\x7f", "é", "🦊 fox", "/slash/", "", "%_", "&<b>"]
)
@pytest.mark.parametrize("beside", ["plain", "\udfff half a character"])
def test_a_text_is_found_whatever_is_in_it_and_beside_it(store, new, text, beside):
    own = store.add(new(arguments={"prompt": text, "style": text, "other": beside}))
    store.add(new(arguments={"prompt": f"{text}.", "style": f"{text}.", "other": beside}))
    for name in ("prompt", "style"):
        assert [record.id for record in store.select(where={name: text})] == [own]
        assert [record.id for record in store.select(where={name: ["nothing", text]})] == [own]


def test_an_object_is_found_by_its_text_as_well(store, ids):
    assert found(store, ids, where={"image_size": '{"width":512}'}) == ["fox"]
    assert found(store, ids, where={"image_size": {"width": 512}}) == ["fox"]
