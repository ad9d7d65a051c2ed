"""What ``sweep`` does: the plan is shown first, and nothing is sent before a person says so."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FalClientTimeoutError, FalError
from fal_nb.magics.failure import MagicFailure, MagicStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fal_nb.magics.commands import SweepArguments
    from fal_nb.magics.exporting import Tell
    from fal_nb.sweeps.sweep import Sweep
    from fal_nb.workbench import Workbench

__all__ = ["handle_sweep"]

_TICK_S = 0.2


def handle_sweep(
    bench: Workbench, command: SweepArguments, namespace: Mapping[str, Any], assign: Callable[[str, Any], None]
) -> Any:
    """Carry out one command and return the sweep, or the frame that was asked for."""
    from fal_nb.sweeps.sweep import Sweep  # noqa: PLC0415 - loaded with the first sweep

    session = bench.session
    if command.action == "plan":
        plan, schemas = Sweep.plan_text(session, command.body or "", command.target, notebook=namespace)
        if command.dry_run:
            bench.line(f"{Sweep.outlook_of(session, plan, schemas, command.window or 4)}\nNothing was sent or kept.")
            return None
        sweep = Sweep.new(
            session,
            plan,
            schemas,
            name=command.name,
            budget=command.budget,
            window=command.window or 4,
            allow_unpriced=command.allow_unpriced,
        )
        _begin(bench, sweep, command)
    elif command.action == "list":
        from fal_nb.sweeps.listing import sweeps_frame  # noqa: PLC0415 - loaded when asked for

        frame = sweeps_frame(session)
        if command.var:
            assign(command.var, frame)
        return None if command.silenced else frame
    elif command.action in {"score", "effects"}:
        from fal_nb.magics.sweep_numbers import handle_numbers  # noqa: PLC0415 - loads numpy and pandas

        return handle_numbers(bench, command, namespace, assign)
    else:
        sweep = Sweep.find(session, command.target)
        if command.action == "refine":
            sweep.refine_text(command.body or "", notebook=namespace, budget=command.budget)
            _begin(bench, sweep, command)
        else:
            _go_on(bench, sweep, command)
    if command.var:
        assign(command.var, sweep)
    return None if command.silenced else sweep


def _begin(bench: Workbench, sweep: Sweep, command: SweepArguments) -> None:
    """Show what a sweep comes to, and run it where a person said so."""
    bench.show_plan(sweep, is_told=command.yes)
    if command.yes:
        _run(bench, sweep.run())


def _go_on(bench: Workbench, sweep: Sweep, command: SweepArguments) -> None:
    if command.budget is not None:
        sweep.set_budget(command.budget)
    match command.action:
        case "resume":
            if sweep.is_paused:
                sweep.go_on()
            _resume(bench, sweep)
        case "retry":
            _retry(bench, sweep)
        case "pause" | "cancel" if not sweep.is_running:
            bench.line(f"The sweep {sweep.name} is not running in this kernel.")
        case "pause":
            sweep.pause()
            bench.line(f"The sweep {sweep.name} pauses: `%fal sweep resume {sweep.name}` goes on.")
        case "cancel":
            sweep.cancel()
            bench.line(f"The sweep {sweep.name} begins no further cell; those under way are asked to stop.")
        case "export":
            _export(bench, sweep, command)
        case _:
            bench.show_sweep(sweep)


def _resume(bench: Workbench, sweep: Sweep) -> None:
    is_over = not sweep.is_running and not sweep.to_call
    _run(bench, sweep.run())
    if is_over:
        counts = sweep.counts()
        failed = counts.get("FAILED", 0) + counts.get("CANCELLED", 0)
        hint = f"; `%fal sweep retry {sweep.name}` calls again what failed ({failed})" if failed else ""
        bench.line(f"Nothing to send: every cell of {sweep.name} was called{hint}.")


def _retry(bench: Workbench, sweep: Sweep) -> None:
    if sweep.is_running or sweep.counts().keys() & {"FAILED", "CANCELLED"}:
        _run(bench, sweep.retry())
        return
    left = f"; `%fal sweep resume {sweep.name}` calls what was not called yet" if sweep.to_call else ""
    bench.line(f"Nothing to retry: no cell of {sweep.name} has failed{left}.")


def _export(bench: Workbench, sweep: Sweep, command: SweepArguments) -> None:
    from fal_nb.magics.exporting import write_and_tell  # noqa: PLC0415 - loaded with the first export

    def write(tell: Tell) -> list[Path]:
        return sweep.export(
            command.path or "",
            overwrite=command.overwrite,
            tile=command.tile or 256,
            max_mb=command.max_mb or 64,
            on_progress=tell,
            on_note=bench.line,
        )

    write_and_tell(bench, write)


def _run(bench: Workbench, sweep: Sweep) -> None:
    """Show the board and wait; an interrupt ends the sweep, as it ends a run."""
    view = bench.show_sweep(sweep, is_watched=True)
    try:
        with bench.watch_board(view) as tick:
            while sweep.is_running:
                tick()
                with contextlib.suppress(FalClientTimeoutError):
                    sweep.wait(_TICK_S)
    except KeyboardInterrupt as error:
        sweep.cancel()
        raise MagicStopped(
            f"Stopped: the sweep {sweep.name} begins no further cell, those under way are asked to stop. "
            f"`%fal sweep resume {sweep.name}` calls the rest."
        ) from error
    except FalError as error:
        raise MagicFailure.of(error) from error
    finally:
        bench.settle(view)
    if sweep.stopped == "budget":
        bench.line(f"Stopped by its budget: `%fal sweep resume {sweep.name} --budget USD` goes on.")
    if unknown := sweep.counts().get("UNKNOWN"):
        bench.line(
            f"{unknown} unknown, fal may have accepted them: `%fal reconcile` looks again, or sends on your word."
        )
