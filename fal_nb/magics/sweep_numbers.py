"""What ``sweep score`` and ``sweep effects`` do: scorers by name or from the notebook, progress on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fal_nb.magics.failure import MagicStopped
from fal_nb.plain import one_line
from fal_nb.scoring.built_in import BUILT_IN
from fal_nb.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fal_nb.magics.commands import SweepArguments
    from fal_nb.sweeps.effects import Effects
    from fal_nb.workbench import Workbench

__all__ = ["handle_numbers"]

_DUPLICATES = "duplicates"
_DEFAULT = "sharpness"


def handle_numbers(
    bench: Workbench, command: SweepArguments, namespace: Mapping[str, Any], assign: Callable[[str, Any], None]
) -> Any:
    """Carry out one command and return the sweep, or the frame of effects."""
    value: Any
    if command.action == "effects":
        value = Sweep.find(bench.session, command.target).effects(command.values or "cost")
        bench.line(_title(value))
        if command.plot:
            _draw(bench, value.plot())
    else:
        value = _score(bench, command, namespace)
    if command.var:
        assign(command.var, value)
    return None if command.silenced else value


def _title(effects: Effects) -> str:
    others = [one_line(name, 60) for name in effects.others]
    if _DEFAULT not in {effects.of, *others}:
        others.append(f"a scorer such as {_DEFAULT}")
    return f"Effects on {effects.of}; --values NAME tells of another number: {', '.join(others)}."


def _score(bench: Workbench, command: SweepArguments, namespace: Mapping[str, Any]) -> Sweep:
    """Score by each word behind the sweep's name; the newest sweep's where the first word is a scorer itself."""
    words = list(command.words)
    first = words[0] if words else None
    known = bench.session.history.sweeps
    is_named = first is not None and (not _is_scorer(first, namespace) or known.find(first) is not None)
    sweep = Sweep.find(bench.session, words.pop(0) if is_named else None)
    view = bench.show_sweep(sweep)
    try:
        for word in words or [_DEFAULT]:
            if word == _DUPLICATES:
                found = sweep.near_duplicates()
                bench.line(f"duplicates: {len(found)} look like an earlier one")
                continue
            is_pair = word in BUILT_IN and BUILT_IN[word].is_pair
            sweep.score(
                word if word in BUILT_IN else _from_notebook(word, namespace),
                reference=command.reference if is_pair else None,
                along=command.along if is_pair else None,
                again=command.again,
            )
    except KeyboardInterrupt as error:
        raise MagicStopped("Stopped: the scores that were made are kept; the same line makes the others.") from error
    finally:
        bench.settle(view)
    return sweep


def _is_scorer(word: str, namespace: Mapping[str, Any]) -> bool:
    return word in BUILT_IN or word == _DUPLICATES or callable(namespace.get(word))


def _from_notebook(word: str, namespace: Mapping[str, Any]) -> Any:
    """Return a function of the notebook by its name; what is none is left for `score` to refuse."""
    found = namespace.get(word)
    return found if callable(found) else word


def _draw(bench: Workbench, figure: Any) -> None:
    if bench.display.rendering in {"terminal", "script"}:
        bench.line("The plot is a picture: `%fal sweep effects … -o effects`, then effects.plot().savefig(path).")
        return
    from IPython.display import display  # noqa: PLC0415 - only inside IPython

    display(figure)
