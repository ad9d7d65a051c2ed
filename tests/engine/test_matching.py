"""Which listed request is which lost call: examples, then what holds for any calls and any list."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.client.ended_requests import EndedRequest
from fal_nb.engine.matching import LONGEST_SENDING_S, TOLERANCE_S, LostCall, canonical, match

HERE = ("fal", None)
DEV = "fal-ai/flux/dev"
FOX = {"prompt": "a red fox", "seed": 7}


def lost(record_id=1, arguments=FOX, at=1000.0, until=None, **more):
    more = {"endpoints": frozenset({DEV}), "place": HERE} | more
    return LostCall(record_id, arguments=arguments, sent_from=at, sent_until=until or at + 1, **more)


def listed(request_id="a", arguments=FOX, at=1000.5, endpoint=DEV, **more):
    return EndedRequest(request_id, endpoint, at, arguments=arguments, **more)


def tie_ids(found):
    return sorted((tie.record_ids, [request.request_id for request in tie.requests]) for tie in found.ties)


def pairs(calls, requests, known=(), **more):
    found = match(calls, requests, known, HERE, **more).pairs
    return {record_id: request.request_id for record_id, request in found.items()}


def test_equal_arguments_at_the_right_time_are_a_match():
    assert pairs([lost()], [listed(), listed("b", {"prompt": "a wolf"})]) == {1: "a"}


@pytest.mark.parametrize(
    "request_",
    [
        listed(arguments=FOX | {"seed": 8}),
        listed(arguments={"prompt": "a red fox"}),
        listed(arguments=FOX | {"seed": "7"}),
        listed(endpoint="fal-ai/flux/schnell"),
        listed(at=1000 - TOLERANCE_S - 1),
        listed(at=1001 + TOLERANCE_S + 1),
    ],
)
def test_other_arguments_endpoints_and_times_are_not(request_):
    assert not pairs([lost()], [request_])


@pytest.mark.parametrize("at", [1000 - TOLERANCE_S, 1001 + TOLERANCE_S])
def test_clocks_may_differ_by_the_tolerance(at):
    assert pairs([lost()], [listed(at=at)]) == {1: "a"}


def test_a_record_found_lying_a_day_later_was_not_being_sent_all_day():
    found_lying = lost(until=1000 + 86_400)
    assert pairs([found_lying], [listed(at=1000 + LONGEST_SENDING_S)]) == {1: "a"}
    assert not pairs([found_lying], [listed(at=1000 + LONGEST_SENDING_S + TOLERANCE_S + 1)])


def test_ids_the_ledger_has_are_left_out():
    assert pairs([lost()], [listed(), listed("b")], known={"a"}) == {1: "b"}


def test_calls_sent_elsewhere_are_not_looked_for():
    found = match([lost(place=("server", "http://127.0.0.1:1"))], [listed()], (), HERE)
    assert not found.pairs
    assert not found.candidates


def test_equal_calls_and_requests_are_a_tie_even_where_the_numbers_fit():
    found = match([lost(1), lost(2)], [listed("b", at=1002), listed("a")], (), HERE)
    assert not found.pairs
    (tie,) = found.ties
    assert tie.record_ids == (1, 2)
    assert [request.request_id for request in tie.requests] == ["a", "b"]


@pytest.mark.parametrize(("calls", "requests"), [(1, 2), (2, 1), (3, 2)])
def test_where_the_numbers_do_not_fit_it_is_a_tie(calls, requests):
    found = match([lost(n) for n in range(calls)], [listed(str(n)) for n in range(requests)], (), HERE)
    assert not found.pairs
    assert len(found.ties) == 1


def test_equal_arguments_far_apart_in_time_are_two_matches():
    calls = [lost(1), lost(2, at=5000.0)]
    assert pairs(calls, [listed("a"), listed("b", at=5000.5)]) == {1: "a", 2: "b"}


def test_a_list_that_was_not_read_to_its_end_decides_nothing():
    found = match([lost()], [listed()], (), HERE, incomplete={DEV})
    assert not found.pairs
    assert found.ties[0].record_ids == (1,)


def test_without_payloads_requests_are_candidates_by_time_and_never_taken():
    requests = [listed("far", None, at=1100.0), listed("near", None, at=1001.0), listed("late", None, at=9000.0)]
    found = match([lost()], requests, (), HERE)
    assert not found.pairs
    assert [request.request_id for request in found.candidates[1]] == ["near", "far"]


def test_a_call_that_asked_for_no_storage_is_not_taken_for_a_stored_request():
    found = match([lost(stores_payloads=False)], [listed(), listed("b", None)], (), HERE)
    assert not found.pairs
    assert [request.request_id for request in found.candidates[1]] == ["b"]


def test_requests_of_the_time_with_other_arguments_are_counted():
    found = match([lost()], [listed(arguments={}), listed("b", {"prompt": 1})], (), HERE)
    assert found.others[1] == 2
    assert found.candidates[1] == ()


def test_a_request_without_the_moment_it_was_sent_is_a_candidate_only():
    request = listed(at=None, ended_at=1010.0)
    found = match([lost()], [request], (), HERE)
    assert not found.pairs
    assert found.candidates[1] == (request,)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 0}, {"a": False}, False),
        ({"a": None}, {}, False),
        ([1, 2], [2, 1], False),
        ("1", 1, False),
        (2**53 + 1, float(2**53), False),
        ({"a": (1, 2)}, {"a": [1, 2]}, True),
        ("é", "e\u0301", False),
    ],
)
def test_what_counts_as_equal(one, other, same):
    assert (canonical(one) == canonical(other)) is same


def test_what_nests_too_deeply_is_equal_to_nothing():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert canonical(deep) is None
    assert not pairs([lost(arguments=deep)], [listed(arguments=deep)])


# -- for any calls and any list --------------------------------------------------------------------------

ENDPOINTS = (DEV, "fal-ai/flux/schnell")
CHOICES = [{"prompt": "x"}, {"prompt": "x", "n": 1}, {"prompt": "x", "n": 1.0}, {"prompt": "y"}, {}]
times = st.integers(0, 20).map(lambda step: step * 50.0)
calls = st.lists(
    st.builds(
        LostCall,
        st.integers(1, 50),
        st.sampled_from(ENDPOINTS).map(lambda endpoint: frozenset({endpoint})),
        st.sampled_from([HERE, ("server", "http://127.0.0.1:1")]),
        st.sampled_from(CHOICES),
        times,
        times,
        st.sampled_from([None, True, False]),
    ),
    max_size=8,
    unique_by=lambda call: call.record_id,
)
requests = st.lists(
    st.builds(
        EndedRequest,
        st.sampled_from("abcdefghijkl"),
        st.sampled_from(ENDPOINTS),
        st.one_of(st.none(), times),
        ended_at=st.one_of(st.none(), times),
        arguments=st.one_of(st.none(), st.sampled_from(CHOICES)),
    ),
    max_size=12,
)
known_ids = st.sets(st.sampled_from("abcdefghijkl"))


@given(calls, requests, known_ids)
def test_no_request_goes_to_two_calls_and_none_that_is_known_or_does_not_fit(calls, requests, known):
    found = match(calls, requests, known, HERE)
    ids = [request.request_id for request in found.pairs.values()]
    assert len(set(ids)) == len(ids)
    shown = {request.request_id for tie in found.ties for request in tie.requests}
    shown |= {request.request_id for near in found.candidates.values() for request in near}
    assert not (set(ids) | shown) & known
    assert not set(ids) & {request.request_id for tie in found.ties for request in tie.requests}
    by_id = {call.record_id: call for call in calls}
    for record_id, request in found.pairs.items():
        call = by_id[record_id]
        assert call.place == HERE
        assert call.stores_payloads is not False
        assert request.endpoint in call.endpoints
        assert call.window[0] <= request.sent_at <= call.window[1]
        assert canonical(request.arguments) == canonical(call.arguments)


@given(calls, requests, known_ids)
def test_every_call_of_the_place_is_in_exactly_one_part(calls, requests, known):
    found = match(calls, requests, known, HERE)
    parts = [*found.pairs, *(record_id for tie in found.ties for record_id in tie.record_ids), *found.candidates]
    assert sorted(parts) == sorted(call.record_id for call in calls if call.place == HERE)


@given(calls, requests, known_ids, st.randoms())
def test_the_order_of_calls_and_requests_changes_nothing(calls, requests, known, random):
    by_id = list({request.request_id: request for request in requests}.values())
    first = match(calls, by_id, known, HERE)
    random.shuffle(calls)
    random.shuffle(by_id)
    again = match(calls, by_id, known, HERE)
    assert again.pairs == first.pairs
    assert tie_ids(again) == tie_ids(first)


@given(calls, requests, requests, known_ids)
def test_a_longer_list_takes_no_match_back_for_another(calls, requests, more, known):
    """More on the list may make a tie of a match, it never gives a call another request."""
    before = match(calls, requests, known, HERE)
    after = match(calls, [*requests, *more], known, HERE)
    tied = {record_id for tie in after.ties for record_id in tie.record_ids}
    for record_id, request in before.pairs.items():
        assert after.pairs.get(record_id, request) == request
        assert record_id in after.pairs or record_id in tied


@given(calls, requests, known_ids, known_ids)
def test_knowing_more_ids_gives_no_call_another_request(calls, requests, known, more):
    before = match(calls, requests, known, HERE)
    after = match(calls, requests, known | more, HERE)
    for record_id, request in before.pairs.items():
        if request.request_id not in more:
            assert after.pairs[record_id].request_id == request.request_id


@given(calls, requests, known_ids)
def test_what_is_taken_away_from_a_tie_by_choice_leaves_the_rest_consistent(calls, requests, known):
    """After one call of a tie has got one of its requests by a person's word, the others never get the same one."""
    found = match(calls, requests, known, HERE)
    for tie in found.ties:
        chosen = tie.requests[0].request_id
        left = [call for call in calls if call.record_id != tie.record_ids[0]]
        after = match(left, requests, known | {chosen}, HERE)
        assert chosen not in {request.request_id for request in after.pairs.values()}


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=12,
)


@given(json_values)
def test_arguments_equal_themselves_after_a_journey(value):
    assert canonical(json.loads(json.dumps(value))) == canonical(value)


@given(json_values, json_values)
def test_arguments_that_are_equal_are_equal_to_python_too(one, other):
    if canonical(one) == canonical(other):
        assert one == other


@given(calls, requests)
def test_a_call_of_its_own_is_always_found_where_nothing_is_like_it(calls, requests):
    own = lost(99, {"prompt": "like no other"}, at=500.0)
    request = listed("own", {"prompt": "like no other"}, at=500.2)
    assert match([*calls, own], [*requests, request], (), HERE).pairs[99].request_id == "own"
    assert match([*calls, replace(own, stores_payloads=False)], [*requests, request], (), HERE).pairs.get(99) is None
