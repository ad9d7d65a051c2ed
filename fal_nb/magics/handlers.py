"""What each subcommand does: typed arguments in, calls of the Python functions out. No parsing, no shell."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from fal_nb import kernel_loop
from fal_nb.api_history import selected_frame
from fal_nb.artifacts.naming import check_pattern
from fal_nb.client.lifecycle import ObjectExpiration, StorageSettings
from fal_nb.client.options import CallOptions
from fal_nb.engine.intent import Terms
from fal_nb.engine.remembered import annotation_columns
from fal_nb.errors import ArgumentsError, FalError
from fal_nb.magics import arguments as args
from fal_nb.magics.aliases import find_kept, merged
from fal_nb.magics.by_schema import arguments_by_schema
from fal_nb.magics.failure import MagicFailure, MagicStopped
from fal_nb.magics.filters import by_name
from fal_nb.plain import one_line
from fal_nb.schemas.check import check_arguments
from fal_nb.settings import find_key
from fal_nb.views.fitting import last_lines
from fal_nb.views.format import STATE_WORDS, cancel_words

if TYPE_CHECKING:
    from fal_nb.engine.dry_run import How
    from fal_nb.engine.job import Job
    from fal_nb.views.card import CardView
    from fal_nb.workbench import Workbench

__all__ = ["Cell", "handle"]

_LOG_LINES = 1_000
_LOG_LINE_CHARS = 1_000
"""More of either, as only the hostile print it, and the notebook's page stands still."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The cell a magic runs in.

    Attributes
    ----------
    namespace
        The notebook's variables.
    assign
        Puts a value into one of them.
    """

    namespace: Mapping[str, Any]
    assign: Callable[[str, Any], None]


def handle(bench: Workbench, command: args.Arguments, cell: Cell) -> Any:
    """Carry out one parsed command and return what the cell shows or assigns."""
    handler = _HANDLERS[type(command)]
    return handler(bench, command, cell)


def _run(bench: Workbench, command: args.RunArguments, cell: Cell) -> Any:
    if command.dry_run:
        return _dry_run(bench, command, cell, "run" if command.direct else "subscribe")
    job = _start(bench, command, cell, kind="direct" if command.direct else "queue")
    result = _wait_for(bench, job)
    _keep(bench, command, cell, result)
    return None if command.silenced else result


def _submit(bench: Workbench, command: args.SubmitArguments, cell: Cell) -> Any:
    if command.dry_run:
        return _dry_run(bench, command, cell, "submit")
    job = _start(bench, command, cell, kind="queue")
    bench.show_job(job)
    if command.to:
        bench.save_when_done(job, command.to)
    if command.var:
        cell.assign(command.var, job)
    bench.say_if_unwatched()
    return None if command.silenced else job


def _stream(bench: Workbench, command: args.StreamArguments, cell: Cell) -> Any:
    session = bench.session
    if command.dry_run:
        return _dry_run(bench, command, cell, "stream")
    job = session.show_stream(
        command.endpoint,
        _arguments(bench, command, cell),
        options=replace(_options(command), path=command.path),
        silence_s=command.timeout_s,
        check=not command.unchecked,
        more=annotation_columns(command.tags, command.note),
        terms=Terms(command.max_cost, command.allow_unpriced),
    )
    result = _wait_for(bench, job)
    _keep(bench, command, cell, result)
    return None if command.silenced else result


def _form(bench: Workbench, command: args.FormArguments, cell: Cell) -> Any:
    form = bench.form(command.endpoint, _arguments(bench, command, cell))
    bench.show_form(form)
    if command.var:
        cell.assign(command.var, form)


def _price(bench: Workbench, command: args.PriceArguments, cell: Cell) -> Any:
    price = bench.session.price(command.endpoint, _arguments(bench, command, cell))
    if command.var:
        cell.assign(command.var, price)
    return None if command.silenced else price


def _catalogue(bench: Workbench, command: Any, cell: Cell) -> Any:
    from fal_nb.magics.catalogue_handlers import handle_catalogue  # noqa: PLC0415 - loaded with the first look

    return handle_catalogue(bench, command, cell.assign)


def _canvas(bench: Workbench, command: args.CanvasArguments, cell: Cell) -> Any:
    arguments = _arguments(bench, command, cell)
    canvas = bench.canvas(
        command.endpoint,
        arguments,
        in_flight=command.in_flight,
        idle_s=command.idle_s,
        allow_unpriced=command.allow_unpriced,
    )
    bench.show_canvas(canvas)
    if command.var:
        cell.assign(command.var, canvas)


def _dry_run(bench: Workbench, command: args.CallArguments, cell: Cell, how: How) -> Any:
    """Return the call as it would be sent; the value is what the cell shows."""
    from fal_nb.engine.dry_run import prepare  # noqa: PLC0415 - loaded when first asked for
    from fal_nb.magics.dry_run import DryRun  # noqa: PLC0415

    options = _options(command)
    if isinstance(command, args.StreamArguments):
        options = replace(options, path=command.path)
    check = not command.unchecked
    call = prepare(bench.session, command.endpoint, _arguments(bench, command, cell), how, options, check=check)
    shown = DryRun(call, bench.session.preflight.known_schema(call.endpoint))
    if command.var:
        cell.assign(command.var, shown)
    return None if command.silenced else shown


def _arguments(bench: Workbench, command: args.CallArguments, cell: Cell) -> dict[str, Any]:
    """Return the arguments a line means, once it is sure that what is to be saved can be."""
    schema = bench.session.preflight.known_schema(command.endpoint)
    arguments = arguments_by_schema(command, cell.namespace, schema)
    if command.base:
        arguments = merged(find_kept(bench.kept, command.base), arguments)
    if command.alias:
        short = args.read_arguments(f"run {command.endpoint} {command.alias}")
        arguments = merged(arguments_by_schema(cast("args.RunArguments", short), {}, schema), arguments)
    if command.save:
        bench.kept[command.save] = arguments
    if command.to:
        check_pattern(command.to, arguments)
    return arguments


def _start(bench: Workbench, command: args.RunArguments | args.SubmitArguments, cell: Cell, *, kind: Any) -> Job:
    return bench.session.submit(
        command.endpoint,
        _arguments(bench, command, cell),
        kind=kind,
        options=_options(command),
        timeout_s=command.timeout_s,
        check=not command.unchecked,
        memo="reuse" if command.memo else "refresh" if command.no_memo else None,
        more=annotation_columns(command.tags, command.note),
        terms=Terms(command.max_cost, command.allow_unpriced),
    )


def _options(command: args.CallArguments) -> CallOptions:
    lifecycle = None if command.lifecycle is None else StorageSettings(cast("ObjectExpiration", command.lifecycle))
    return CallOptions(
        start_timeout=command.start_timeout_s,
        priority=command.priority,
        hint=command.hint,
        lifecycle=lifecycle,
        store_io=None if command.store_io is None else command.store_io == "yes",
        no_retry=command.no_retry,
        disable_fallback=command.disable_fallback,
        tags=command.fal_tags,
        max_queue_length=command.max_queue_length,
        webhook_url=command.webhook_url,
    )


def _wait_for(bench: Workbench, job: Job, *, patient: bool = True) -> Any:
    """Show a job's card and wait for it; whatever happens, the card tells the end of it."""
    card: CardView | None = None
    try:
        card = bench.show_job(job, is_watched=True)
        with bench.watch([job], card):
            return job.get(patient=patient)
    except KeyboardInterrupt as error:
        if job.snapshot.cancel is None:
            job.cancel_after_interrupt()
        said = cancel_words(job.snapshot.cancel) or f"{STATE_WORDS[job.state]} when it was stopped"
        raise MagicStopped(f"Stopped: job #{job.record_id}: {said}.") from error
    except FalError as error:
        raise MagicFailure.of(error) from error
    finally:
        if card is not None:
            bench.settle(card)


def _keep(bench: Workbench, command: args.CallArguments, cell: Cell, result: Any) -> None:
    if command.to:
        saved = [str(file.save(command.to)) for file in result.files]
        bench.line("Saved " + ", ".join(saved) if saved else "There was no file to save.")
    if command.var:
        cell.assign(command.var, result)


def _status(bench: Workbench, command: args.JobArguments, _cell: Cell) -> Any:
    job = bench.session.job(command.job)
    bench.show_job(job)
    return None if command.silenced else job


def _result(bench: Workbench, command: args.JobArguments, _cell: Cell) -> Any:
    result = _wait_for(bench, bench.session.job(command.job), patient=False)
    return None if command.silenced else result


def _logs(bench: Workbench, command: args.JobArguments, _cell: Cell) -> None:
    job = bench.session.job(command.job)
    lines = job.logs
    shown = last_lines([line[:_LOG_LINE_CHARS] for line in lines[-_LOG_LINES:]])
    if len(lines) > len(shown):
        shown.insert(0, f"… {len(lines) - len(shown)} earlier lines: job.logs has all of them")
    bench.line("\n".join(shown) or f"Job #{job.record_id} has printed nothing.")


def _cancel(bench: Workbench, command: args.JobArguments, _cell: Cell) -> None:
    job = bench.session.job(command.job)
    if job.done:
        bench.line(f"Job #{job.record_id} has ended already: {STATE_WORDS[job.state]}.")
        return
    said = job.cancel()
    words = cancel_words(said) or STATE_WORDS[job.state]
    bench.line(f"Job #{job.record_id}: {words}.")


def _wait(bench: Workbench, command: args.WaitArguments, _cell: Cell) -> Any:
    session = bench.session
    jobs = (
        session.jobs_to_end() if command.all_open or not command.jobs else [session.job(word) for word in command.jobs]
    )
    if not jobs:
        bench.line("No job is open.")
        return None
    deadline = None if command.timeout_s is None else time.monotonic() + command.timeout_s
    cards = [bench.show_job(job, is_watched=True) for job in jobs]
    try:
        with bench.watch(jobs, cards[0]):
            for job in jobs:
                job.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
    except KeyboardInterrupt as error:
        still = ", ".join(f"#{job.record_id}" for job in jobs if not job.done)
        raise MagicStopped(f"Stopped waiting; {still} goes on. `%fal cancel` ends a job.") from error
    except FalError as error:
        raise MagicFailure.of(error) from error
    finally:
        for card in cards:
            bench.settle(card)
    return None


def _jobs(bench: Workbench, command: args.JobsArguments, _cell: Cell) -> None:
    # Looked up first: what other kernels follow is watched from here, and what nobody follows stays as it is.
    bench.session.open_jobs()
    bench.show_monitor(command.limit)


def _resume(bench: Workbench, command: args.ResumeArguments, _cell: Cell) -> Any:
    resumed = bench.session.resume()
    bench.line(str(resumed))
    for job in resumed.jobs:
        bench.show_job(job)
    return None if command.silenced else resumed


def _attach(bench: Workbench, command: args.AttachArguments, _cell: Cell) -> Any:
    job = bench.session.attach(command.endpoint, command.request_id)
    bench.show_job(job)
    return None if command.silenced else job


def _reconcile(bench: Workbench, command: args.ReconcileArguments, _cell: Cell) -> Any:
    session = bench.session
    if command.send_again is None:
        found = session.reconcile(dict(command.choices))
        return None if command.silenced else found
    job = session.send_again(command.send_again, yes=command.yes)
    if job is None:
        bench.line("Nothing was sent.")
        return None
    bench.show_job(job)
    return None if command.silenced else job


def _sweep(bench: Workbench, command: args.SweepArguments, cell: Cell) -> Any:
    from fal_nb.magics.sweep_handlers import handle_sweep  # noqa: PLC0415 - loaded with the first sweep

    return handle_sweep(bench, command, cell.namespace, cell.assign)


def _history(bench: Workbench, command: args.HistoryArguments, _cell: Cell) -> Any:
    path = _export_path(command)
    frame = selected_frame(bench, _selecting(command))
    if path is not None:
        from fal_nb.frames.accessor import FalAccessor  # noqa: PLC0415 - loaded with the first export

        _write(bench, FalAccessor(frame).export, path, command)
    return frame


def _export_path(command: args.HistoryArguments) -> str | None:
    """Return where to write, if anywhere; a path that means nothing is said before the history is read."""
    if command.export is not None:
        from fal_nb.exports.endings import target_of  # noqa: PLC0415 - loaded with the first export

        target_of(command.export)
    return command.export


def _write(bench: Workbench, export: Callable[..., list[Path]], path: str, command: args.HistoryArguments) -> None:
    from fal_nb.magics.exporting import Tell, write_and_tell  # noqa: PLC0415 - loaded with the first export

    def write(tell: Tell) -> list[Path]:
        max_mb = command.max_mb or 64
        return export(path, overwrite=command.overwrite, max_mb=max_mb, on_progress=tell, on_note=bench.line)

    write_and_tell(bench, write)


def _selecting(command: args.HistoryArguments) -> dict[str, Any]:
    """Return the filters of ``history`` and ``gallery`` as the session takes them."""
    return {
        "endpoint": command.endpoint,
        "state": command.state,
        "since": command.since,
        "limit": command.limit,
        "words": command.words,
        "tag": command.tags or None,
        "where": {**by_name(command.where), **({"rating": command.rating} if command.rating else {})},
    }


def _gallery(bench: Workbench, command: args.GalleryArguments, _cell: Cell) -> Any:
    filters = _selecting(command)
    if command.sweep is not None:
        filters["where"] = {**filters["where"], "sweep": command.sweep}
    is_whole = not any(filters.values())
    path = _export_path(command)
    view = bench.show_gallery(None if is_whole else bench.selected_records(filters), command.sweep or "history")
    if path is not None:
        _write(bench, view.export, path, command)
    return None if command.silenced else view


def _replay(bench: Workbench, command: args.ReplayArguments, _cell: Cell) -> Any:
    result = _wait_for(bench, bench.session.replay(command.job, yes=command.yes))
    return None if command.silenced else result


def _alias(bench: Workbench, command: args.AliasArguments, _cell: Cell) -> None:
    if command.name:
        _check_stands_for(bench, command.name, command.line)
        bench.aliases[command.name] = command.line
    elif command.remove and bench.aliases.pop(command.remove, None) is None:
        raise MagicFailure(f"There is no short name {command.remove}; `%fal alias` lists them.")
    shown = {command.name: command.line} if command.name else bench.aliases
    width = max(map(len, shown), default=0)
    rows = [f"{one_line(name, 40):<{width}}  {one_line(line, 400)}" for name, line in shown.items()]
    bench.line("\n".join(rows) or "There are no short names: `%fal alias NAME=ENDPOINT INPUT=VALUE …` gives one.")


def _check_stands_for(bench: Workbench, name: str, line: str) -> None:
    """Refuse what would be refused with each call; what is required may come with the call.

    Where the endpoint's schema cannot be had nothing is said here but that.
    """
    call = cast("args.RunArguments", args.read_arguments(f"run {line}"))
    schema = bench.session.preflight.schema_to_send(call.endpoint)
    if schema is None:
        return
    given = arguments_by_schema(call, {}, schema)
    problems = [
        problem for problem in check_arguments(schema, given, is_file=_is_path).problems if problem.path[0] in given
    ]
    if problems:
        raise ArgumentsError(f"{name}={call.endpoint}", problems)


def _is_path(value: object) -> bool:
    return isinstance(value, Path)


def _config(bench: Workbench, _command: args.ConfigArguments, _cell: Cell) -> None:
    settings = bench.session.settings
    hosts = settings.hosts
    rows = [
        (
            "calls go to",
            {"fal": "fal.ai", "simulator": f"the simulator at {hosts.base}"}.get(settings.backend, hosts.base),
        ),
        ("because", settings.reason),
        ("key", settings.key_source if settings.key else "none"),
        ("history and files", str(settings.home)),
        ("memo", bench.session.memo),
        ("shown", f"{bench.display.rendering}: {bench.display.reason}"),
    ]
    if (kernel := kernel_loop.lent()) is not None:
        rows += [("event loop", f"the kernel's, through {kernel.package}"), ("which costs", kernel_loop.COST)]
    budgets = bench.session.spending().values()
    rows += [("budget", str(spending)) for spending in budgets if spending.budget is not None]
    if settings.backend == "simulator" and (found := find_key(os.environ, Path.cwd()))[0]:
        rows.insert(3, ("since then", f"a key was found ({found[1]}): the first call after fal_nb.close() takes it up"))
    if settings.proxy_url:
        rows.insert(1, ("through", settings.proxy_url.partition("?")[0]))
    bench.line("\n".join(f"{name:<18} {value}" for name, value in rows))


def _simulator(bench: Workbench, command: args.SimulatorArguments, _cell: Cell) -> None:
    from fal_nb.simulator import process  # noqa: PLC0415 - only on demand

    home = bench.session.home
    if command.action == "stop":
        bench.line("The simulator was stopped." if process.stop(home) else "No simulator was running.")
        return
    if command.action == "start":
        bench.line(f"The simulator serves at {process.ensure_running(home)}.")
        settings = bench.session.settings
        if settings.backend != "simulator":
            bench.line(f"Calls do not go there but to {settings.hosts.base or 'fal.ai'}: {settings.reason}.")
        return
    record = process.read_record(home)
    base = record.base_url if record and process.is_alive(record.base_url, record.instance_id) else None
    bench.line(
        f"The simulator serves at {base}." if base else "No simulator is running; a call without a key starts it."
    )


def _help(bench: Workbench, command: args.HelpArguments, _cell: Cell) -> None:
    bench.line(args.help_text(command.topic))


def _about_job(bench: Workbench, command: args.JobArguments, cell: Cell) -> Any:
    handlers = {"status": _status, "result": _result, "logs": _logs, "cancel": _cancel}
    return handlers[command.subcommand](bench, command, cell)


_HANDLERS: Mapping[type, Callable[[Workbench, Any, Cell], Any]] = MappingProxyType(
    {
        args.RunArguments: _run,
        args.SubmitArguments: _submit,
        args.StreamArguments: _stream,
        args.FormArguments: _form,
        args.PriceArguments: _price,
        args.ModelsArguments: _catalogue,
        args.SchemaArguments: _catalogue,
        args.CanvasArguments: _canvas,
        args.AdviceArguments: _catalogue,
        args.UsageArguments: _catalogue,
        args.JobArguments: _about_job,
        args.WaitArguments: _wait,
        args.JobsArguments: _jobs,
        args.ResumeArguments: _resume,
        args.AttachArguments: _attach,
        args.ReconcileArguments: _reconcile,
        args.SweepArguments: _sweep,
        args.HistoryArguments: _history,
        args.GalleryArguments: _gallery,
        args.ReplayArguments: _replay,
        args.AliasArguments: _alias,
        args.ConfigArguments: _config,
        args.SimulatorArguments: _simulator,
        args.HelpArguments: _help,
    }
)
