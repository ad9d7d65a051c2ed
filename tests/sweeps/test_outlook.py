"""What a plan will come to is said before anything is sent."""

import pytest

from fal_nb.sweeps.cells import Cells
from fal_nb.sweeps.outlook import look_ahead

DEV = "fal-ai/flux/dev"
TEXT = "prompt: a {animal}\nanimal: [fox, owl]\nseed: 1..5\nguidance_scale: [2, 3]\nskip: seed == 5 and animal == owl"


@pytest.fixture
def cells(plan_of, schemas):
    return Cells(plan_of(TEXT), schemas)


def test_the_whole_outlook(cells):
    outlook = look_ahead(
        cells,
        price=lambda endpoint, arguments: (0.02, 0.04) if arguments["seed"] > 1 else (0.0, None),
        is_known=lambda cell: cell.arguments["seed"] == 2,
        seconds=lambda endpoint: [3.0, 4.0, 100.0],
        notes=["seed had a value twice: taken once"],
    )
    assert (outlook.cells, outlook.calls, outlook.known, outlook.skipped, outlook.repeated) == (18, 14, 4, 2, 0)
    assert (outlook.low, outlook.high, outlook.unpriced) == (pytest.approx(0.2), pytest.approx(0.4), 4)
    assert outlook.seconds == 14 * 4.0 / 4
    assert str(outlook).splitlines() == [
        "axes   animal 2 × seed 5 × guidance_scale 2 = 20 combinations",
        "calls  14 to send, 4 known already, 2 skipped by rules",
        "price  0.20–0.40 USD, and 4 calls (29%) unpriced",
        "time   about 14 s, 4 at once",
        "board  seed on rows, animal on columns, guidance_scale on super-rows",
        "sheet  1 page of 696 × 2768 pixels, tiles of 256",
        "note   seed had a value twice: taken once",
    ]


def test_nothing_known_of_prices_and_times_is_said(cells):
    shown = str(look_ahead(cells))
    assert "price  unpriced: nothing bounds what it may cost" in shown
    assert "time   unknown, 4 at once: no past calls to go by" in shown


def test_all_known_costs_nothing_and_takes_no_time(cells):
    outlook = look_ahead(cells, is_known=lambda cell: True)
    assert (outlook.calls, outlook.high, outlook.unpriced_share) == (0, 0, 0)
    assert "price  nothing to pay" in str(outlook)


def test_an_endpoint_never_called_is_guessed_to_be_like_the_others(plan_of, schemas):
    cells = Cells(plan_of(f"endpoint: [{DEV}, fal-ai/flux/schnell]\nprompt: x\nseed: 1..4", None), schemas)
    outlook = look_ahead(cells, seconds=lambda endpoint: [2.0] if endpoint == DEV else [], window=2)
    assert (outlook.seconds, outlook.untimed) == (8.0, 4)
    assert outlook.per_endpoint == {DEV: 4, "fal-ai/flux/schnell": 4}


def test_time_is_never_less_than_one_call_takes(cells):
    assert look_ahead(cells, seconds=lambda endpoint: [30.0], window=50).seconds == 30.0
