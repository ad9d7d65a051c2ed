"""Deliveries in the ledger, in any order with kernels that come, fall silent and go: one row, one owner, one result."""

import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fal_nb.engine.outcome import of_delivery
from fal_nb.errors import LeaseLost
from fal_nb.ledger.deliveries import KeptDelivery
from fal_nb.ledger.leases import LEASE_S
from fal_nb.ledger.records import NewRecord
from fal_nb.ledger.store import HistoryStore

BASE = "http://127.0.0.1:9"
OWNERS = ("kernel", "receiver 1", "receiver 2")


def delivery(seed=1, request_id="r-1", **changes):
    now = time.time()
    values = {"is_ok": True, "error": None, "payload_error": None, "payload": {"seed": seed}} | changes
    return KeptDelivery(request_id, None, BASE, "me", now, now, now, 1, billable_units=None, **values)


class OneRequest(RuleBasedStateMachine):
    """One record, its kernel, two receivers; whoever is owner writes, nobody else does."""

    def __init__(self):
        super().__init__()
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.history = HistoryStore(Path(self.folder.name) / "history.sqlite")
        self.record_id = self.history.add(
            NewRecord(
                endpoint="a/b", arguments={}, backend="server", base_url=BASE, created=time.time(), state="QUEUED",
                request_id="r-1", owner="kernel", options={"webhook": True},
            )
        )  # fmt: skip
        self.history.leases.renew("kernel", time.time())
        self.came, self.results, self.followed = 0, [], {"kernel"}

    def record(self):
        return self.history.get(self.record_id)

    @rule(owner=st.sampled_from(OWNERS[1:]), seed=st.integers(0, 3), ok=st.booleans())
    def deliver(self, owner, seed, ok):
        self.history.leases.renew(owner, time.time())
        kept = delivery(seed, is_ok=ok, error=None if ok else "Invalid status code: 422")
        before = self.record()
        taken = self.history.deliveries.take(kept, of_delivery(kept), owner)
        self.came += 1
        assert taken.record_id == self.record_id
        if taken.fate == "taken":
            assert before.ended is None or before.state == "UNKNOWN"
            assert self.record().owner == owner
            self.results.append(seed if ok else None)
        else:
            after = self.record()
            assert (after.state, after.result, after.owner) == (before.state, before.result, before.owner)

    @rule(owner=st.sampled_from(OWNERS))
    def finish(self, owner):
        record = self.record()
        if not record.is_open or record.ended is None:
            return
        try:
            self.history.update_many([(self.record_id, {"state": "SUCCEEDED"})], held_by=owner)
        except LeaseLost:
            assert record.owner != owner
        else:
            assert record.owner == owner

    @rule()
    def kernel_gets_it_itself(self):
        record = self.record()
        if record.owner == "kernel" and record.is_open and record.ended is None:
            self.history.update_many(
                [(self.record_id, {"state": "RUNNING", "result": {"seed": 9}, "ended": time.time()})], held_by="kernel"
            )
            self.results.append(9)

    @rule()
    def kernel_falls_silent(self):
        self.history.leases.renew("kernel", time.time() - LEASE_S - 1)

    @rule()
    def kernel_says_goodbye(self):
        self.history.leases.release("kernel")

    @rule()
    def kernel_loses_the_answer(self):
        record = self.record()
        if record.owner == "kernel" and record.is_open and record.ended is None:
            self.history.update_many([(self.record_id, {"state": "UNKNOWN", "ended": time.time()})], held_by="kernel")

    @rule(owner=st.sampled_from(OWNERS[1:]))
    def look_after_what_waits(self, owner):
        self.history.leases.renew(owner, time.time())
        for kept in self.history.deliveries.waiting():
            if self.history.deliveries.give(kept, of_delivery(kept), owner).fate == "taken":
                self.results.append(kept.payload["seed"] if kept.is_ok else None)

    @precondition(lambda self: self.came)
    @invariant()
    def one_row_that_counts(self):
        (kept,) = self.history.deliveries.newest()
        assert kept.count == self.came
        assert kept.record_id == self.record_id

    @invariant()
    def one_result(self):
        assert len(self.results) <= 1
        record = self.record()
        if self.results and self.results[0] is not None:
            assert record.result["seed"] == self.results[0]
        if not self.results:
            assert record.result is None
            assert record.state in {"QUEUED", "UNKNOWN"}

    @invariant()
    def nothing_that_came_is_lost(self):
        record = self.record()
        if self.came and not self.results:
            (kept,) = self.history.deliveries.newest()
            assert kept.payload is not None
            assert record.ended is None or record.state == "UNKNOWN"

    def teardown(self):
        self.history.close()
        self.folder.cleanup()


TestOneRequest = OneRequest.TestCase
TestOneRequest.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)


def test_a_follower_that_has_its_own_delivery_is_not_robbed_by_itself(tmp_path):
    with HistoryStore(tmp_path / "h.sqlite") as history:
        history.leases.renew("me", time.time())
        number = history.add(
            NewRecord(
                endpoint="a/b", arguments={}, backend="server", base_url=BASE, created=1.0, state="QUEUED",
                request_id="r-1", owner="me",
            )
        )  # fmt: skip
        kept = delivery()
        assert history.deliveries.take(kept, of_delivery(kept), "me", {number}).fate == "held"
        assert history.deliveries.of_records([number])[number].payload == {"seed": 1}
        assert history.deliveries.give(kept, of_delivery(kept), "me").fate == "taken"
        assert history.deliveries.of_records([number]) == {}


@pytest.mark.parametrize("kind", ["direct", "stream", "realtime"])
def test_only_calls_of_the_queue_have_webhooks(tmp_path, kind):
    with HistoryStore(tmp_path / "h.sqlite") as history:
        history.add(
            NewRecord(
                endpoint="a/b", arguments={}, backend="server", base_url=BASE, created=1.0, state="UNKNOWN",
                request_id="r-1", kind=kind,
            )
        )  # fmt: skip
        kept = delivery()
        assert history.deliveries.take(kept, of_delivery(kept), "me").fate == "foreign"
