"""Whatever comes over the wire: nothing but our own errors, and the same events however the bytes were cut."""

import itertools
import json
import math

from hypothesis import given
from hypothesis import strategies as st

from fal_nb.errors import EndpointError, ProtocolError
from fal_nb.protocol.endpoint import NAMESPACES, EndpointId
from fal_nb.protocol.events import Event, EventDecoder
from fal_nb.protocol.retry import MAX_ATTEMPTS, backoff_s, may_repeat, retry_after_s
from fal_nb.protocol.status import Completed, InProgress, Queued, parse_status, status_body

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
LINES = st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"]), max_size=20)
STREAMS = st.lists(
    st.sampled_from(
        [b"data: ", b"data:", b"event: x", b"id: 7", b":ping", b"\n", b"\r", b"\r\n", b"\n\n", b"\xef\xbb\xbf"]
    )
    | st.binary(max_size=6),
    max_size=30,
).map(b"".join)
STATUS_KEYS = st.sampled_from(["status", "queue_position", "logs", "metrics", "error", "error_type", "response_url"])
WORDS = st.sampled_from(["IN_QUEUE", "IN_PROGRESS", "COMPLETED", "FAILED", ""])
SEGMENTS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,8}", fullmatch=True)


def pieces(data, cuts):
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(ends)]


@given(STREAMS | st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=12))
def test_how_a_stream_is_cut_never_changes_its_events(data, cuts):
    whole = EventDecoder().feed(data)
    decoder = EventDecoder()
    assert [event for piece in pieces(data, cuts) for event in decoder.feed(piece)] == whole
    assert all(isinstance(event, Event) for event in whole)


@given(st.lists(st.tuples(st.lists(LINES, min_size=1, max_size=3), st.sampled_from(["\n", "\r", "\r\n"])), max_size=5))
def test_events_written_by_the_standard_are_read_back(events):
    text = "".join("".join(f"data: {line}{end}" for line in lines) + end for lines, end in events)
    read = [event.data for event in EventDecoder().feed(text.encode())]
    assert read == ["\n".join(lines) for lines, _ in events]


@given(st.text(max_size=40))
def test_any_text_is_an_endpoint_id_or_our_error(text):
    try:
        endpoint = EndpointId.parse(text)
    except EndpointError:
        return
    assert EndpointId.parse(str(endpoint)) == endpoint
    assert str(endpoint).startswith(endpoint.base)


@given(
    st.sampled_from(["", *NAMESPACES]),
    SEGMENTS.filter(lambda part: part not in NAMESPACES),
    SEGMENTS,
    st.lists(SEGMENTS, max_size=3),
)
def test_an_endpoint_id_is_what_it_was_written_as(namespace, owner, alias, path):
    text = "/".join(filter(None, [namespace, owner, alias, *path]))
    endpoint = EndpointId.parse(f" /{text}/ ")
    assert str(endpoint) == text
    assert (endpoint.namespace, endpoint.owner, endpoint.alias, endpoint.path) == (
        namespace,
        owner,
        alias,
        "/".join(path),
    )


@given(JSON | st.dictionaries(STATUS_KEYS, JSON | WORDS, max_size=6))
def test_any_status_body_is_a_status_or_our_error(body):
    try:
        status = parse_status(body)
    except ProtocolError:
        return
    assert type(parse_status(status_body(status, "r", {}))) is type(status)
    json.dumps(status_body(status, "r", {}))


@given(
    st.integers(0, 10**6),
    st.lists(st.fixed_dictionaries({"message": st.text(max_size=9)}), max_size=3),
    st.text(max_size=9),
)
def test_a_status_survives_the_way_over_the_wire(position, logs, error):
    for status in (
        Queued(position),
        InProgress(logs),
        InProgress(None),
        Completed(logs, {"inference_time": 1.5}, error, "t"),
    ):
        assert parse_status(json.loads(json.dumps(status_body(status, "r", {})))) == status


HEADERS = st.dictionaries(
    st.sampled_from(["x-fal-request-id", "x-fal-retryable", "x-fal-request-timeout-type", "retry-after"]),
    st.sampled_from(["true", "false", "user", "7", ""]) | st.text(max_size=6),
)


@given(st.none() | st.integers(100, 599), HEADERS)
def test_a_paid_post_that_may_have_arrived_is_repeated_after_429_alone(status, headers):
    assert may_repeat(paid=True, sent=True, status=status, headers=headers) is (status == 429)
    assert may_repeat(paid=True, sent=False, status=None, headers=headers)


@given(st.integers(1, 10**6), st.none() | st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1))
def test_a_wait_is_never_negative_and_never_long(attempt, retry_after, jitter):
    wait_s = backoff_s(attempt, retry_after=retry_after, jitter=jitter)
    assert 0 <= wait_s <= 140
    assert math.isfinite(wait_s)
    assert MAX_ATTEMPTS < 20


@given(HEADERS, st.binary(max_size=60) | JSON.map(lambda body: json.dumps({"retry_after": body}).encode()))
def test_what_a_server_asks_to_wait_is_a_finite_time_or_nothing(headers, body):
    seconds = retry_after_s(headers, body)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))
