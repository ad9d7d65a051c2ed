"""One frozen class per subcommand: what a magic was asked to do.

An option of a subcommand is a line in its table (``options.py`` says in which file) and a field here, named by that
line's ``field``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from fal_nb.magics.body import BodyMode
from fal_nb.magics.catalogue_commands import CatalogueArguments
from fal_nb.magics.filters import Filter
from fal_nb.magics.items import Input, Word
from fal_nb.states import State

__all__ = [
    "AliasArguments",
    "Arguments",
    "AttachArguments",
    "CallArguments",
    "CanvasArguments",
    "ConfigArguments",
    "FormArguments",
    "GalleryArguments",
    "HelpArguments",
    "HistoryArguments",
    "JobArguments",
    "JobsArguments",
    "PriceArguments",
    "ReconcileArguments",
    "ReplayArguments",
    "ResumeArguments",
    "RunArguments",
    "SimulatorArguments",
    "StreamArguments",
    "SubmitArguments",
    "SweepArguments",
    "WaitArguments",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallArguments:
    """A call of an endpoint, before the notebook's variables are looked up.

    Attributes
    ----------
    inputs
        What the line says for the endpoint, in its order.
    text
        The quoted text after the endpoint.
    body, body_mode
        The cell below the line, None where it is blank, and how it is to be read.
    text_input
        The input that takes the text or the body, where the line names one.
    timeout_s, start_timeout_s
        Seconds; the caller's own limit, and fal's for the beginning.
    lifecycle
        How long the outputs live at fal: a name of `ObjectExpiration`, or seconds.
    store_io, no_retry, disable_fallback, fal_tags, max_queue_length, webhook_url
        As in `CallOptions`.
    max_cost, allow_unpriced
        The most it may cost, in US dollars, and whether it is sent under a budget although nothing bounds its cost.
    dry_run
        Whether the call is only shown.
    base, save
        Names of kept arguments: to build on, to keep these under.
    alias, short_name
        The inputs that a short name of the endpoint brings, as written; that name. Both empty where there is none.
    unchecked
        Whether arguments are sent without a look at the endpoint's schema.
    memo, no_memo
        Whether the line asks for an answer from the history, or for a call in any case.
    tags, note
        What is written on the record.
    to
        Pattern of the files that the outputs are also saved as.
    var
        The variable that also receives what is returned.
    line, magic
        As written, for later messages.
    """

    endpoint: str
    inputs: tuple[Input, ...] = ()
    text: Word | None = None
    body: str | None = None
    body_mode: BodyMode = "text"
    text_input: str | None = None
    timeout_s: float | None = None
    start_timeout_s: float | None = None
    priority: Literal["normal", "low"] | None = None
    hint: str | None = None
    lifecycle: str | int | None = None
    store_io: Literal["yes", "no"] | None = None
    no_retry: bool = False
    disable_fallback: bool = False
    fal_tags: Mapping[str, str] = field(default_factory=dict)
    max_queue_length: int | None = None
    webhook_url: str | None = None
    max_cost: float | None = None
    allow_unpriced: bool = False
    unchecked: bool = False
    dry_run: bool = False
    base: str | None = None
    save: str | None = None
    alias: str = ""
    short_name: str = ""
    memo: bool = False
    no_memo: bool = False
    tags: tuple[str, ...] = ()
    note: str | None = None
    to: str | None = None
    var: str | None = None
    line: str = ""
    magic: str = "%fal"
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunArguments(CallArguments):
    """``run``."""

    direct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitArguments(CallArguments):
    """``submit``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamArguments(CallArguments):
    """``stream``.

    Attributes
    ----------
    path
        What follows the endpoint in the address of its stream.
    """

    path: str = "/stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormArguments(CallArguments):
    """``form``: its inputs are what is filled in at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceArguments(CallArguments):
    """``price``: its inputs are those of the call that is reckoned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasArguments(CallArguments):
    """``canvas``: its inputs are what is filled in and drawn on at first.

    Attributes
    ----------
    in_flight
        Inputs that may be on their way at one time.
    idle_s
        Seconds without an input after which it disconnects.
    """

    in_flight: int = 2
    idle_s: float = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobArguments:
    """``status``, ``result``, ``logs`` or ``cancel``.

    Attributes
    ----------
    job
        A record's number, or a request id, or None for the last job.
    """

    subcommand: Literal["status", "result", "logs", "cancel"]
    job: int | str | None = None
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitArguments:
    """``wait``: for the jobs named, or for all open ones of this kernel where `all_open` or none is named."""

    jobs: tuple[int | str, ...] = ()
    all_open: bool = False
    timeout_s: float | None = None
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsArguments:
    """``jobs``."""

    limit: int | None = None
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeArguments:
    """``resume``."""

    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachArguments:
    """``attach``."""

    endpoint: str
    request_id: str
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileArguments:
    """``reconcile``.

    Attributes
    ----------
    choices
        (Number of a record, request id), as chosen.
    send_again
        The lost call to be sent once more, instead.
    yes
        Whether that is done without asking.
    """

    choices: tuple[tuple[int, str], ...] = ()
    send_again: int | str | None = None
    yes: bool = False
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepArguments:
    """``sweep``.

    Attributes
    ----------
    action
        ``plan`` a new one, ``list`` all, or what to do with one there is.
    target
        The endpoint of a plan, where the line has one; else the sweep's name, None for the newest.
    words
        What stands behind ``score``: the sweep's name, if it is said, and scorers.
    body
        The plan, or what is added to one.
    budget
        In US dollars.
    path
        Where an export goes.
    tile
        Side of a contact sheet's tiles in pixels.
    reference, along, again
        As for ``sweep.score``.
    values, plot
        The number whose ``effects`` are told, and whether they are drawn.
    max_mb
        Most megabytes of an exported board.
    """

    action: Literal[
        "plan", "list", "refine", "resume", "retry", "pause", "cancel", "show", "export", "score", "effects"
    ]
    target: str | None = None
    words: tuple[str, ...] = ()
    body: str | None = None
    name: str | None = None
    budget: float | None = None
    window: int | None = None
    allow_unpriced: bool = False
    yes: bool = False
    dry_run: bool = False
    path: str | None = None
    overwrite: bool = False
    tile: int | None = None
    reference: str | None = None
    along: str | None = None
    again: bool = False
    values: str | None = None
    plot: bool = False
    max_mb: int | None = None
    var: str | None = None
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryArguments:
    """``history``.

    Attributes
    ----------
    words
        Texts that must all occur in a record.
    since
        An age, or a moment with its time zone.
    tags
        All of them must be on a record.
    rating
        An operator and a number.
    where
        Filters, each a name, an operator and a value.
    export, overwrite, max_mb
        A file to write it to, whether that may replace one that is there, and most megabytes of a page.
    """

    words: tuple[str, ...] = ()
    endpoint: str | None = None
    state: State | None = None
    since: dt.timedelta | dt.datetime | None = None
    tags: tuple[str, ...] = ()
    rating: tuple[str, int] | None = None
    where: tuple[Filter, ...] = ()
    limit: int | None = None
    export: str | None = None
    overwrite: bool = False
    max_mb: int | None = None
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryArguments(HistoryArguments):
    """``gallery``: whose outputs, as ``history`` selects them; `sweep` those of one sweep, by its name."""

    sweep: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayArguments:
    """``replay``: `job` as for the others; `yes` to what came from outside."""

    job: int | str | None = None
    yes: bool = False
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasArguments:
    """``alias``: a name and the line it stands for, a name to `remove`, or neither to list them."""

    name: str | None = None
    line: str = ""
    remove: str | None = None
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigArguments:
    """``config``."""

    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorArguments:
    """``simulator``."""

    action: Literal["start", "stop", "status"] = "status"
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpArguments:
    """``help``: of a subcommand, of the grammar, or the overview where `topic` is None."""

    topic: str | None = None
    silenced: bool = False


Arguments: TypeAlias = (
    RunArguments
    | SubmitArguments
    | StreamArguments
    | FormArguments
    | PriceArguments
    | CatalogueArguments
    | CanvasArguments
    | JobArguments
    | WaitArguments
    | JobsArguments
    | ResumeArguments
    | AttachArguments
    | ReconcileArguments
    | SweepArguments
    | HistoryArguments
    | GalleryArguments
    | ReplayArguments
    | AliasArguments
    | ConfigArguments
    | SimulatorArguments
    | HelpArguments
)
