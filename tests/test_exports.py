"""The public surface: complete, sorted, documented, and never hidden by a module of the same name."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import fal_nb

ROOT = Path(__file__).parents[1]


def test_all_is_sorted_and_every_name_can_be_had():
    assert fal_nb.__all__ == sorted(fal_nb.__all__)
    for name in fal_nb.__all__:
        assert getattr(fal_nb, name) is not None


def test_every_name_that_can_be_had_is_in_all():
    assert set(fal_nb._WHERE) == set(fal_nb.__all__)


def test_every_public_name_is_in_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    missing = [name for name in fal_nb.__all__ if not re.search(rf"\b{name}\b", readme)]
    assert not missing


def test_no_module_hides_a_public_name():
    modules = {module.name for module in pkgutil.iter_modules(fal_nb.__path__)}
    assert not modules & set(fal_nb.__all__)


def test_every_module_names_what_it_offers():
    for module in pkgutil.walk_packages(fal_nb.__path__, "fal_nb."):
        if module.ispkg or module.name.endswith("__main__"):
            continue
        loaded = importlib.import_module(module.name)
        assert all(hasattr(loaded, name) for name in loaded.__all__), module.name


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no_such_name"):
        fal_nb.no_such_name  # noqa: B018
