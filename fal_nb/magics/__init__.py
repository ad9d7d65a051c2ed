"""The ``%fal`` and ``%%fal`` magics: a thin skin over the Python functions."""

from __future__ import annotations

from typing import Any

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(ipython: Any) -> None:
    """Register ``%fal`` and ``%%fal``; what ``%load_ext fal_nb`` calls."""
    from fal_nb.magics import question  # noqa: PLC0415 - as the next line
    from fal_nb.magics.fal_magics import FalMagics  # noqa: PLC0415 - IPython is loaded only inside IPython

    manager = ipython.magics_manager
    before = {kind: manager.magics[kind].get("fal") for kind in ("line", "cell")}
    ipython.register_magics(FalMagics)
    magics = manager.registry["FalMagics"]
    magics.replaced = before
    magics.completion.install()
    magics.take_question_away = question.install(ipython)
    left = _left_open()
    if left:
        print(left)  # noqa: T201 - the one line that loading says, and only where there is something to do


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magics away and put back what they replaced; jobs that are open go on."""
    manager = ipython.magics_manager
    magics = manager.registry.pop("FalMagics", None)
    if magics is None:
        return
    magics.completion.remove()
    magics.take_question_away()
    for kind, function in magics.replaced.items():
        manager.magics[kind].pop("fal", None)
        if function is not None:
            manager.magics[kind]["fal"] = function
    if magics in ipython.configurables:
        ipython.configurables.remove(magics)


def _left_open() -> str:
    """Return one line about what earlier kernels left open, or nothing; reads the history if there is one."""
    from fal_nb.ledger.glance import count_left_open  # noqa: PLC0415 - with the extension, not with the package
    from fal_nb.settings import home_folder  # noqa: PLC0415

    home = home_folder()
    count = 0
    for (backend, base), jobs in count_left_open(home / "history.sqlite").items():
        if backend == "simulator":
            from fal_nb.simulator.process import is_alive  # noqa: PLC0415 - only where there is one to ask for

            # What a simulator that is gone was asked for can never be answered.
            count += jobs if is_alive(base or "") else 0
        else:
            count += jobs
    if not count:
        return ""
    calls, are = ("call", "is") if count == 1 else ("calls", "are")
    return f"fal_nb: {count} {calls} of an earlier kernel {are} still open: `%fal resume` carries on."
