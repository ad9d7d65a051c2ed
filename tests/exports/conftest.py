"""One small sweep on the simulator, run once for all tests of the room: done cells, skipped ones, failed ones."""

import pytest

from fal_nb.engine.session import Session
from fal_nb.simulator.server import SimulatorServer
from fal_nb.sweeps.sweep import Sweep

SCHNELL = "fal-ai/flux/schnell"
TEXT = """\
prompt: "{word} in {style}"
word: ["=1+1", "../../<b>fox</b>"]
style: [ukiyo-e, "狐 </script> CON"]
seed: [1, 2]
image_size: {width: 64, height: 48}
skip: "seed == 2 and style == ukiyo-e"
"""


@pytest.fixture(scope="package")
def session(tmp_path_factory):
    home = tmp_path_factory.mktemp("exports")
    with SimulatorServer(runners=8, speed=40) as simulator:
        session = Session(base_url=simulator.base_url, home=home, notify=lambda line: None)
        yield session
        session.close()


@pytest.fixture(scope="package")
def make_sweep(session):
    """Return a function that plans a sweep and, unless told otherwise, runs it."""

    def make(text=TEXT, endpoint=SCHNELL, *, is_run=True, **options):
        plan, schemas = Sweep.plan_text(session, text, endpoint)
        sweep = Sweep.new(session, plan, schemas, **options)
        return sweep.run().wait(60) if is_run else sweep

    return make


@pytest.fixture(scope="package")
def sweep(make_sweep):
    """Six cells that are done, two combinations that a rule leaves out."""
    return make_sweep(name="styles")
