"""The place for one input: whatever happens in whatever order, none is sent twice, lost without a count, or too early."""

from hypothesis import given
from hypothesis import strategies as st

from fal_nb.client.outbox import Outbox

STEPS = st.lists(
    st.sampled_from(["put", "send", "answer", "restart", "drop"])
    | st.floats(0, 3, allow_nan=False).map(lambda seconds: round(seconds, 3)),
    max_size=60,
)


@given(STEPS, st.sampled_from([0.0, 0.5, 2.0]), st.none() | st.integers(1, 3))
def test_every_input_goes_out_once_or_is_counted(steps, throttle_s, in_flight):
    outbox = Outbox(throttle_s=throttle_s, in_flight=in_flight, patience_s=5.0)
    now, put, sent, dropped, sent_at = 0.0, [], [], 0, None
    for step in steps:
        if isinstance(step, float):
            now += step
        elif step == "put":
            put.append(f"input {len(put)}")
            outbox.put(put[-1])
        elif step == "answer":
            outbox.answered()
        elif step == "restart":
            outbox.restart()
            sent_at = None
        elif step == "drop":
            dropped += outbox.drop()
        elif outbox.due_s(now) == 0:
            before = outbox.unanswered
            frame = outbox.take(now)
            assert frame == put[-1], "only the newest goes out"
            assert sent_at is None or now - sent_at >= throttle_s - 1e-9
            if in_flight is not None and before >= in_flight:
                assert now - sent_at >= 5.0 - 1e-9, "more are in flight than may be, before patience has run out"
            sent.append(frame)
            sent_at = now
        assert outbox.unanswered >= 0
        if in_flight is not None:
            assert outbox.unanswered <= in_flight
    assert len(set(sent)) == len(sent)
    assert len(put) == len(sent) + outbox.superseded + dropped + (not outbox.is_empty)


@given(st.floats(0, 10, allow_nan=False), st.floats(0.01, 5, allow_nan=False))
def test_what_waits_is_due_exactly_when_it_says(at, throttle_s):
    outbox = Outbox(throttle_s=throttle_s)
    assert outbox.due_s(at) is None
    outbox.put("a")
    assert outbox.due_s(at) == 0
    outbox.take(at)
    outbox.put("b")
    due_s = outbox.due_s(at)
    assert due_s == throttle_s
    assert outbox.due_s(at + due_s + 1e-6) == 0
