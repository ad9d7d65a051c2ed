"""The ``%fal`` and ``%%fal`` magics: a thin skin over the Python functions."""

from __future__ import annotations

from typing import Any

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(ipython: Any) -> None:
    """Register ``%fal`` and ``%%fal``; what ``%load_ext fal_nb`` calls."""
    from fal_nb.magics.fal_magics import FalMagics  # noqa: PLC0415 - IPython is loaded only inside IPython

    manager = ipython.magics_manager
    before = {kind: manager.magics[kind].get("fal") for kind in ("line", "cell")}
    ipython.register_magics(FalMagics)
    manager.registry["FalMagics"].replaced = before


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magics away and put back what they replaced; jobs that are open go on."""
    manager = ipython.magics_manager
    magics = manager.registry.pop("FalMagics", None)
    if magics is None:
        return
    for kind, function in magics.replaced.items():
        manager.magics[kind].pop("fal", None)
        if function is not None:
            manager.magics[kind]["fal"] = function
    if magics in ipython.configurables:
        ipython.configurables.remove(magics)
