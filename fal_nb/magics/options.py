"""The table of subcommands and their options: what the parser, the help and the completion know of them.

A new option is one line where its subcommand stands (``call_options.py`` … ``sweep_options.py``; here what is about the
notebook itself) and one field of its class in ``commands.py``. What several take is in ``option_groups.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fal_nb.magics.call_options import CALL_SPECS
from fal_nb.magics.catalogue_options import CATALOGUE_SPECS
from fal_nb.magics.history_options import HISTORY_SPECS
from fal_nb.magics.job_options import JOB_SPECS, REPLAY
from fal_nb.magics.specs import OptionKind, OptionSpec, SubcommandSpec, Words
from fal_nb.magics.sweep_options import SWEEP, SWEEP_ACTIONS, SWEEP_OPTIONS

__all__ = [
    "JOB_SUBCOMMANDS",
    "OTHER_NAMES",
    "QUEUE_OPTIONS",
    "SUBCOMMANDS",
    "SWEEP_ACTIONS",
    "SWEEP_OPTIONS",
    "OptionKind",
    "OptionSpec",
    "SubcommandSpec",
    "Words",
    "find_option",
]

_SPECS = (
    *CALL_SPECS,
    *JOB_SPECS,
    SWEEP,
    *HISTORY_SPECS,
    *CATALOGUE_SPECS,
    REPLAY,
    SubcommandSpec(
        name="alias",
        usage="[NAME=ENDPOINT [INPUT=VALUE …]] | --remove NAME",
        takes_inputs=True,
        summary="short names of endpoints, with inputs of your own",
        details="""\
Gives an endpoint a short name, for run, submit and stream, with inputs that are sent along unless the line says
otherwise. It lasts as long as the kernel; c.FalMagics.aliases in ipython_config.py keeps it, for example
c.FalMagics.aliases = {"draft": "fal-ai/flux/schnell num_inference_steps=4"}. Without a name it lists what there is.""",
        options=(
            OptionSpec(name="remove", kind="input", metavar="NAME", field="remove", help="Forget this short name."),
        ),
        examples=(
            "%fal alias draft=fal-ai/flux/schnell num_inference_steps=4",
            "%fal alias",
            "%fal alias --remove draft",
        ),
    ),
    SubcommandSpec(
        name="config",
        summary="where calls go, with which key, and why",
        details="Shows the settings in force and where each comes from. A key is never shown.",
        examples=("%fal config", "settings = %fal config"),
    ),
    SubcommandSpec(
        name="simulator",
        words="action",
        usage="[start|stop|status]",
        choices=("start", "stop", "status"),
        summary="the local server that speaks fal's protocol and costs nothing",
        details="Starts or stops the simulator, or says whether it runs (status, also without a word).",
        examples=("%fal simulator", "%fal simulator start"),
    ),
    SubcommandSpec(
        name="help",
        words="topic",
        usage="[SUBCOMMAND|grammar]",
        summary="this overview, or the help of one subcommand",
        details="Shows the overview, the options of one subcommand, or how values are written (grammar).",
        examples=("%fal help run", "%fal help grammar"),
    ),
)

SUBCOMMANDS: Mapping[str, SubcommandSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Name → subcommand, in the order of the overview."""

JOB_SUBCOMMANDS = frozenset(spec.name for spec in _SPECS if spec.words in {"job", "jobs", "choices"})
"""Those whose words are jobs, so that ``#12`` after them is one and no comment."""

OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "abort": "cancel",
        "call": "run",
        "check_job": "status",
        "create": "run",
        "generate": "run",
        "draw": "canvas",
        "fill": "form",
        "advise": "recommend",
        "cancel_job": "cancel",
        "catalogue": "models",
        "cost": "price",
        "documentation": "docs",
        "get_job_result": "result",
        "get_model_schema": "schema",
        "get_pricing": "price",
        "balance": "usage",
        "billing": "usage",
        "inputs": "schema",
        "spending": "usage",
        "pricing": "price",
        "show": "gallery",
        "compare": "gallery",
        "sweeps": "sweep",
        "recommend_model": "recommend",
        "search": "models",
        "search_docs": "docs",
        "search_models": "models",
        "get": "result",
        "kill": "cancel",
        "list": "jobs",
        "key": "config",
        "log": "logs",
        "login": "config",
        "ls": "jobs",
        "predict": "run",
        "ps": "jobs",
        "again": "replay",
        "repeat": "replay",
        "rerun": "replay",
        "queue": "jobs",
        "run_model": "run",
        "realtime": "canvas",
        "settle": "reconcile",
        "settings": "config",
        "stats": "usage",
        "stop": "cancel",
        "submit_job": "submit",
        "subscribe": "run",
    }
)
"""Words people bring from other tools → the subcommand they mean."""

QUEUE_OPTIONS = ("max_queue_length", "no_retry", "webhook_url")
"""Options of run that mean nothing without a queue."""


def find_option(spec: SubcommandSpec, name: str) -> OptionSpec | None:
    """Return the option of ours that a token names: ``start-timeout``, ``start_timeout`` or ``-o``; else None."""
    wanted = name.replace("-", "_") if not name.startswith("-") else name
    return next((option for option in spec.options if wanted in {option.name, option.short}), None)
