"""Marginal effects of a sweep's axes on its numbers, as a frame and as a drawing."""

import builtins
import io
import statistics

import pytest
from PIL import Image

from fal_nb.engine.session import Session
from fal_nb.errors import JobError
from fal_nb.simulator.server import SimulatorServer
from fal_nb.sweeps.sweep import Sweep

TEXT = """\
prompt: a {animal} in {style} style
animal: [fox, owl]
style: [ink, 'a $\\frac$ <b> style']
seed: [1, 2, 3]
image_size: [{width: 64, height: 64}]
"""


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    with SimulatorServer(runners=8, speed=40) as server:
        session = Session(base_url=server.base_url, home=tmp_path_factory.mktemp("home"), notify=lambda line: None)
        plan, schemas = Sweep.plan_text(session, TEXT, "fal-ai/flux/schnell")
        yield Sweep.new(session, plan, schemas).run().wait(60)
        session.close()


def of_seed(result):
    if result.seed == 3 and "fox" in result.prompt:
        raise ValueError("no")
    return result.seed * (10 if "owl" in result.prompt else 1)


def test_each_value_of_each_axis_has_its_mean_spread_and_number(sweep):
    effects = sweep.score(of_seed).effects("of_seed")
    assert list(effects.columns) == ["axis", "value", "mean", "std", "n"]
    assert list(zip(effects["axis"], effects["n"], strict=True)) == [
        ("animal", 4), ("animal", 6), ("style", 5), ("style", 5), ("seed", 4), ("seed", 4), ("seed", 2),
    ]  # fmt: skip
    fox, owl = effects.iloc[0], effects.iloc[1]
    assert (fox["value"], owl["value"]) == ("fox", "owl")
    assert fox["mean"] == pytest.approx(1.5)
    assert fox["std"] == pytest.approx(statistics.stdev([1, 2, 1, 2]))
    assert owl["mean"] == pytest.approx(20)
    assert list(effects.loc[effects["axis"] == "seed", "value"]) == [1, 2, 3]


def test_cost_is_the_number_where_none_is_named_and_a_built_in_score_is_made_where_it_is_missing(sweep):
    assert set(sweep.effects()["mean"].round(6)) == {0.003}
    assert "brightness" not in sweep.frame()
    assert sweep.effects("brightness")["mean"].between(0, 1).all()
    assert sweep.frame()["brightness"].notna().all()


def test_what_is_no_number_of_the_sweep_gets_one_line(sweep):
    for values, said in (("csot", "Did you mean 'cost'"), ("ssim", "There are: cost"), ("file\x1b[31m", "no number")):
        with pytest.raises(JobError) as caught:
            sweep.effects(values)
        assert said in str(caught.value)
        assert str(caught.value).isprintable()


def test_the_drawing_has_a_panel_an_axis_and_takes_no_text_for_a_formula(sweep):
    pytest.importorskip("matplotlib")
    effects = sweep.effects("total_s")
    figure = effects.plot()
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    assert titles == ["animal", "style", "seed"]
    labels = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert labels == ["ink", "a $\\frac$ <b> style"]
    image = Image.open(io.BytesIO(figure._repr_png_()))
    assert image.mode == "RGBA"
    assert image.getpixel((0, 0))[3] == 0
    assert image.getbbox() is not None


def test_without_matplotlib_one_line_says_so(sweep, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(JobError, match="pip install matplotlib"):
        sweep.effects().plot()
