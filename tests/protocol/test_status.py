import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.errors import ProtocolError
from fal_nb.protocol.status import Completed, InProgress, Queued, parse_status, status_body

URLS = {"response_url": "r", "status_url": "s", "cancel_url": "c"}
LOG = {"message": "hello", "timestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    "status",
    [
        Queued(3),
        InProgress(None),
        InProgress([LOG]),
        Completed([LOG], {"inference_time": 1.5}),
        Completed(None, {}, "it broke", "runner_disconnected"),
    ],
)
def test_what_the_server_writes_is_what_the_client_reads(status):
    assert parse_status(status_body(status, "id", URLS)) == status


def test_the_keys_official_clients_insist_on_are_always_there():
    assert "logs" in status_body(InProgress(None), "id", URLS)
    assert "logs" in status_body(Completed(None), "id", URLS)
    assert "queue_position" in status_body(Queued(0), "id", URLS)


def test_missing_keys_are_taken_as_empty():
    assert parse_status({"status": "IN_QUEUE"}) == Queued(0)
    assert parse_status({"status": "COMPLETED"}) == Completed(None, {})
    assert parse_status({"status": "IN_PROGRESS", "logs": {"wrong": 1}}) == InProgress(None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("status"), inner),
    )
)
def test_no_body_raises_anything_but_a_protocol_error(body):
    with pytest.raises(ProtocolError):
        parse_status(body)


@given(
    st.sampled_from(["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]),
    st.dictionaries(
        st.sampled_from(["logs", "metrics", "error", "queue_position", "error_type"]),
        st.none()
        | st.integers()
        | st.text()
        | st.lists(st.dictionaries(st.just("message"), st.text() | st.integers())),
    ),
)
def test_a_known_word_with_strange_company_is_read(word, rest):
    assert isinstance(parse_status({**rest, "status": word}), (Queued, InProgress, Completed))
