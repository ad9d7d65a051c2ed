"""Everything that shows something is tried by every suite of `suites.py`: a new one without them fails here."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import fal_nb.views
from fal_nb.magics.options import SUBCOMMANDS
from fal_nb.schemas import table
from fal_nb.views import twin
from fal_nb.views.view import View

from .suites import KILLED, SPARED, SUITES

ROOT = Path(__file__).parents[2]


def found_views():
    """Every view of the package, whether or not anything has imported it yet."""
    for module in pkgutil.walk_packages(fal_nb.views.__path__, "fal_nb.views."):
        importlib.import_module(module.name)
    found, waiting = set(), [View]
    while waiting:
        for each in waiting.pop().__subclasses__():
            if each.__module__.startswith("fal_nb."):
                found.add(f"{each.__module__}.{each.__qualname__}")
            waiting.append(each)
    return found


def functions_that_return_text(module, ending):
    return {
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and name.endswith(ending)
        and not name.startswith("_")
    }


def found_bundles():
    """The entry points in ``js/src``: each becomes one bundle."""
    return {
        path.stem
        for path in (ROOT / "js" / "src").iterdir()
        if path.suffix in {".ts", ".tsx"} and not path.name.endswith(".d.ts")
    }


def renderers_of_html():
    """Every class or function of the package that hands HTML to a front end, by where it is."""
    found = set()
    for path in (ROOT / "fal_nb").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name in {
                "_repr_html_",
                "_ipython_display_",
                "_repr_mimebundle_",
            }:
                found.add(f"{path.relative_to(ROOT / 'fal_nb').as_posix()}:{node.name}")
    return found


FOUND = {
    "subcommands": lambda: set(SUBCOMMANDS),
    "views": found_views,
    "twins": lambda: functions_that_return_text(twin, "_html"),
    "tables": lambda: functions_that_return_text(table, "_table"),
    "bundles": found_bundles,
}


@pytest.mark.parametrize("kind", FOUND)
@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_tries_everything_there_is(suite, kind):
    there_is, tried = FOUND[kind](), SUITES[suite][kind]
    assert sorted(there_is - tried) == [], f"new {kind}: try them in the {suite} suite, then name them in suites.py"
    assert sorted(tried - there_is) == [], f"{kind} named in suites.py are gone"
    assert there_is


def test_every_subcommand_is_killed_or_said_to_have_nothing_to_lose():
    assert sorted(SUBCOMMANDS) == sorted([*KILLED, *SPARED])
    assert all(cell.split()[1] == name for name, cells in KILLED.items() for cell in cells)


def test_a_new_view_would_be_noticed():
    class Sneaked(View):
        __module__ = "fal_nb.views.sneaked"

    assert any(name.endswith("Sneaked") for name in found_views())
    del Sneaked
    import gc

    gc.collect()


def test_every_class_with_a_rendering_of_its_own_is_known():
    assert renderers_of_html() == {
        "api_jobs.py:_ipython_display_",
        "engine/job.py:_ipython_display_",
        "engine/reconciliation.py:_repr_html_",
        "filled_form.py:_ipython_display_",
        "live_canvas.py:_ipython_display_",
        "magics/dry_run.py:_repr_html_",
        "catalogue/advice.py:_repr_html_",
        "model_list.py:_ipython_display_",
        "model_list.py:_repr_html_",
        "pricing/price.py:_repr_html_",
        "results.py:_ipython_display_",
        "results.py:_repr_html_",
        "schemas/endpoint_schema.py:_repr_html_",
        "sweeps/sweep.py:_ipython_display_",
        "usage_report.py:_repr_html_",
        "views/view.py:_ipython_display_",
    }
