import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.errors import ProtocolError
from fal_nb.protocol.events import Event, EventDecoder


def decode(data, size=None):
    decoder = EventDecoder()
    size = size or max(1, len(data))
    return [event for at in range(0, len(data), size) for event in decoder.feed(data[at : at + size])]


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"data: a\n\n", [Event("a")]),
        (b"data:a\n\n", [Event("a")]),
        (b"data:  a\n\n", [Event(" a")]),
        (b"data: a\ndata: b\n\n", [Event("a\nb")]),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [Event("a"), Event("b"), Event("c")]),
        (b": ping\n\ndata: a\n\n", [Event("a")]),
        (b"event: x\nid: 7\ndata: a\n\ndata: b\n\n", [Event("a", "x", "7"), Event("b", "message", "7")]),
        (b"event: x\n\ndata: a\n\n", [Event("a")]),
        (b"data\n\n", [Event("")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
        (b"data: \xc3\xa9\n\n", [Event("é")]),
        (b"data: unfinished", []),
        (b"retry: 10\nfoo: bar\n\n", []),
    ],
)
def test_streams_are_read_by_the_rules_of_the_standard(data, events):
    assert decode(data) == events


@given(st.binary(max_size=300), st.integers(1, 40))
def test_chunking_never_changes_the_events(data, size):
    assert decode(data, size) == decode(data)


@given(
    st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1),
    st.integers(1, 7),
)
def test_what_was_sent_is_what_arrives(texts, size):
    data = "".join(f"data: {text}\n\n" for text in texts).encode()
    assert [event.data for event in decode(data, size)] == texts


def test_an_endless_event_is_refused(monkeypatch):
    monkeypatch.setattr("fal_nb.protocol.events._MAX_EVENT_CHARS", 1000)
    decoder = EventDecoder()
    with pytest.raises(ProtocolError, match="event of over"):
        decoder.feed((b"data: " + b"x" * 100 + b"\n") * 100)
