"""Found again under another schema, or none, a sweep neither calls a cell twice nor loses one."""

import dataclasses

import pytest

from fal_nb.sweeps.sweep import Sweep

SCHNELL = "fal-ai/flux/schnell"
PLAN = "prompt: a fox\nnum_inference_steps: [1, 2, 3, 4]\nseed: [1, 2]\nimage_size: {width: 32, height: 32}\n"


def planned(session, text=PLAN, **options):
    return Sweep.new(session, *Sweep.plan_text(session, text, SCHNELL), **options)


def changed(schema):
    """Return the schema with other defaults and without an input that the plan uses."""
    fields = tuple(
        dataclasses.replace(field, default=2) if field.name == "num_inference_steps" else field
        for field in schema
        if field.name != "seed"
    )
    return dataclasses.replace(schema, inputs=dataclasses.replace(schema.inputs, fields=fields))


@pytest.fixture(params=["changed", "missing"])
def later_session(request, open_session, monkeypatch):
    """Return a session whose server says something else of its endpoints, or nothing."""
    session = open_session()
    real = session.preflight.known_schema
    other = {"changed": lambda endpoint: changed(real(endpoint)), "missing": lambda endpoint: None}[request.param]
    monkeypatch.setattr(session.preflight, "known_schema", other)
    return session


def test_a_sweep_that_has_ended_is_whole_and_calls_nothing_again(open_session, later_session, simulator):
    sweep = planned(open_session())
    sweep.run().wait(60)
    assert len(simulator.ledger()) == 8
    again = Sweep.find(later_session)
    assert [cell.key for cell in again.cells] == [cell.key for cell in sweep.cells]
    again.run().wait(60)
    assert again.counts() == {"SUCCEEDED": 8}
    assert len(simulator.ledger()) == 8


def test_cells_that_memory_answered_are_answered_still(open_session, later_session, simulator):
    first = open_session()
    planned(first).run().wait(60)
    planned(first, name="second").run().wait(60)
    again = Sweep.find(later_session, "second")
    assert again.counts() == {"SUCCEEDED": 8}
    assert all(view.is_from_memo for view in again)
    again.run().wait(60)
    assert len(simulator.ledger()) == 8


def test_what_is_refined_keeps_its_cells(open_session, later_session, simulator):
    planned(open_session()).run().wait(60)
    again = Sweep.find(later_session)
    again.refine({"prompt": ["an owl"]})
    assert len(again) == 16
    assert again.counts() == {"SUCCEEDED": 8, "PREPARED": 8}


def test_a_sweep_from_before_schemas_were_kept_is_read_by_those_of_today(session, simulator):
    sweep = planned(session, name="old")
    row = session.history.sweeps.find("old")
    session.history.sweeps.change(dataclasses.replace(row, schemas=None))
    del sweep
    assert Sweep.find(session, "old").counts() == {"PREPARED": 8}


def test_an_endpoint_that_is_refined_into_a_sweep_brings_its_schema(session):
    sweep = planned(session)
    sweep.refine({"endpoint": ["fal-ai/flux/dev"]})
    assert "fal-ai/flux/dev" in session.history.sweeps.find(None).schemas
    assert len(sweep) == 16
