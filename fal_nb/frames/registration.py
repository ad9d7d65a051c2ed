"""Puts ``fal`` on every DataFrame, whichever of the two packages was imported first, and without importing pandas.

pandas knows no entry points for accessors, and importing it costs a fifth of a second that most cells do not need. So
where it is not there yet, its import is awaited: once, by a finder that takes itself away and leaves nothing behind.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fal_nb.frames.accessor import FalAccessor

__all__ = ["register_when_loaded"]

_PANDAS = "pandas"
_NAME = "fal"
_log = logging.getLogger("fal_nb")


def register_when_loaded() -> None:
    """Register the accessor now where pandas is loaded, else right after it will be; idempotent."""
    if _PANDAS in sys.modules:
        _register()
    elif not any(isinstance(finder, _Awaited) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Awaited())


class _Awaited:
    """Finds pandas as everybody else does, once, and has the accessor registered after it was loaded."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        if name != _PANDAS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Registering(spec.loader)  # type: ignore[assignment]
        return spec


class _Registering:
    """Loads what another loader loads, then registers and gives the module back to that loader."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _register()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def _register() -> None:
    try:
        from pandas import DataFrame  # noqa: PLC0415 - loaded already
        from pandas.api.extensions import register_dataframe_accessor  # noqa: PLC0415
    except ImportError:
        # Being loaded by another thread, or broken: whoever imports it learns that from pandas itself.
        _log.debug("pandas has no accessors yet", exc_info=True)
        return
    if not hasattr(DataFrame, _NAME):
        register_dataframe_accessor(_NAME)(_accessor)  # type: ignore[type-var]


def _accessor(frame: Any) -> FalAccessor:
    """Compare, diff, replay and look at the calls that a DataFrame lists."""
    from fal_nb.frames.accessor import FalAccessor  # noqa: PLC0415 - at first use

    return FalAccessor(frame)
