"""The table of subcommands and their options: what the parser, the help and the completion know of them.

A new option is one line here and one field of its class in ``arguments.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fal_nb.magics.catalogue_options import CATALOGUE_SPECS
from fal_nb.magics.specs import OptionKind, OptionSpec, SubcommandSpec, Words
from fal_nb.states import FINAL_STATES, OPEN_STATES

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

_BODY = (
    OptionSpec(name="json", help="The cell's body is a JSON object with the arguments.", field="json"),
    OptionSpec(
        name="yaml", help="The cell's body is YAML with the arguments; {name} in its texts works.", field="yaml"
    ),
    OptionSpec(
        name="body",
        kind="input",
        metavar="NAME",
        field="text_input",
        help="The input that takes the body or the quoted text (else: prompt).",
    ),
)
_SENDING = (
    OptionSpec(
        name="start_timeout",
        kind="seconds",
        metavar="SECONDS",
        field="start_timeout_s",
        help="fal gives the request up if no runner has begun by then.",
    ),
    OptionSpec(
        name="priority",
        kind="choice",
        metavar="normal|low",
        field="priority",
        choices=("normal", "low"),
        help="Place in the queue; low lets others pass.",
    ),
    OptionSpec(name="hint", kind="text", metavar="TEXT", field="hint", help="Prefer a runner that saw this hint."),
    OptionSpec(
        name="lifecycle",
        kind="life",
        metavar="TIME",
        field="lifecycle",
        help="How long the outputs live at fal: immediate, 1h, 1d, 7d, 30d, 1y, or seconds.",
    ),
    OptionSpec(
        name="store_io",
        kind="choice",
        metavar="yes|no",
        field="store_io",
        choices=("yes", "no"),
        help="Whether fal keeps arguments and result in the account's list.",
    ),
    OptionSpec(name="no_retry", field="no_retry", help="fal is not to try again where a runner is lost."),
    OptionSpec(
        name="disable_fallback", field="disable_fallback", help="No other model in the place of one that fails."
    ),
    OptionSpec(
        name="fal_tags", kind="tags", metavar="'K=V,…'", field="fal_tags", help="For the account's usage, at most ten."
    ),
    OptionSpec(
        name="max_queue_length",
        kind="length",
        metavar="N",
        field="max_queue_length",
        help="fal refuses where more requests than N wait already.",
    ),
    OptionSpec(
        name="webhook_url", kind="url", metavar="URL", field="webhook_url", help="Where fal reports the end, too."
    ),
    OptionSpec(
        name="max_cost",
        kind="amount",
        metavar="USD",
        field="max_cost",
        help="Do not send it if it may cost more than this.",
    ),
    OptionSpec(
        name="allow_unpriced",
        field="allow_unpriced",
        help="Send it under a budget although nothing bounds what it costs.",
    ),
    OptionSpec(name="unchecked", field="unchecked", help="Send the arguments without a look at the endpoint's schema."),
)
_REUSING = (
    OptionSpec(
        name="with",
        kind="input",
        metavar="NAME",
        field="base",
        help="Build on arguments that were kept as NAME; what the line gives wins.",
    ),
    OptionSpec(
        name="save", kind="input", metavar="NAME", field="save", help="Keep the arguments as NAME, for --with NAME."
    ),
)
_DRY_RUN = OptionSpec(
    name="dry_run", field="dry_run", help="Send nothing: show the request, its price, and the call to be copied."
)
_REMEMBERING = (
    OptionSpec(name="memo", field="memo", help="Answer from the history where an equal call succeeded; send nothing."),
    OptionSpec(name="no_memo", field="no_memo", help="Call in any case, whatever FalMagics.memo says."),
    OptionSpec(
        name="tag", kind="text", metavar="TAG", field="tags", many=True, help="Tag the record; may be repeated."
    ),
    OptionSpec(name="note", kind="text", metavar="TEXT", field="note", help="Write a note on the record."),
)
_KEEPING = (
    OptionSpec(
        name="to",
        kind="text",
        metavar="PATTERN",
        field="to",
        help="Also save the outputs as files, for example 'out/{seed}.{ext}'.",
    ),
    OptionSpec(
        name="var",
        short="-o",
        kind="variable",
        metavar="NAME",
        field="var",
        help="Also put what is returned into this variable.",
    ),
)


def _timeout(text: str) -> OptionSpec:
    return OptionSpec(name="timeout", kind="seconds", metavar="SECONDS", field="timeout_s", help=text)


_LIMIT = OptionSpec(name="limit", kind="count", metavar="N", field="limit", help="Only the newest N.")
_CALL_USAGE = 'ENDPOINT ["TEXT"] [NAME=VALUE …] [OPTIONS]'
_CALL_DETAILS = """\
The endpoint comes first (owner/alias/path, as on fal.ai). Its inputs are NAME=VALUE, or --name VALUE; where an option
below has the name of an input, NAME=VALUE reaches the input. One quoted text after the endpoint is its prompt. With
%%fal the rest of the cell is the prompt, as written. `%fal help grammar` shows every form of a VALUE."""
_JOB_DETAILS = """\
JOB is a job's number as its card shows it (12 or #12) or fal's request id; without one it is the last job."""


_SELECTING = (
    OptionSpec(name="endpoint", kind="text", metavar="ENDPOINT", field="endpoint", help="Only of this endpoint."),
    OptionSpec(
        name="state",
        kind="choice",
        metavar="STATE",
        field="state",
        choices=(*OPEN_STATES, *FINAL_STATES),
        help="Only in this state, for example FAILED.",
    ),
    OptionSpec(
        name="since",
        kind="since",
        metavar="WHEN",
        field="since",
        help="Only newer ones: an age (30m, 12h, 7d, 2w) or a date (2026-01-31).",
    ),
    OptionSpec(
        name="tag",
        kind="text",
        metavar="TAG",
        field="tags",
        many=True,
        help="Only with this tag; repeated, with all of them.",
    ),
    OptionSpec(
        name="rating",
        kind="rating",
        metavar="N",
        field="rating",
        help="Only rated so: 5, or '>=4'.",
    ),
    OptionSpec(
        name="where",
        kind="filter",
        metavar="NAME=VALUE …",
        field="where",
        many=True,
        help="Only what passes these filters, for example seed=3 'cost>0.02'.",
    ),
    _LIMIT,
)
"""Options that select records, as ``history`` and ``gallery`` do."""
_EXPORTING = (
    OptionSpec(name="export", kind="text", metavar="PATH", field="export", help="Also write it to this file."),
    OptionSpec(name="overwrite", field="overwrite", help="Let the export replace a file that is there."),
    OptionSpec(name="max_mb", kind="count", metavar="MB", field="max_mb", help="Of an exported page (64)."),
)


def _about_a_job(name: str, summary: str, what: str) -> SubcommandSpec:
    return SubcommandSpec(
        name=name,
        words="job",
        usage="[JOB]",
        summary=summary,
        details=f"{what}\n\n{_JOB_DETAILS}",
        examples=(f"%fal {name}", f"%fal {name} #12"),
        twin=f"fal.{name}(job)",
    )


_NOT_STREAMED = frozenset({"priority", "no_retry", "max_queue_length", "webhook_url"})
_SPECS = (
    SubcommandSpec(
        name="run",
        words="endpoint",
        usage=_CALL_USAGE,
        takes_inputs=True,
        summary="call an endpoint, wait for it, show its outputs",
        details=f"Queues a request, shows its progress and its outputs, returns the result.\n\n{_CALL_DETAILS}",
        options=(
            OptionSpec(name="direct", field="direct", help="One synchronous call, no queue; fal cannot cancel it."),
            _DRY_RUN,
            *_REUSING,
            *_BODY,
            _timeout("Stop waiting after so many seconds."),
            *_SENDING,
            *_REMEMBERING,
            *_KEEPING,
        ),
        examples=(
            '%fal run fal-ai/flux/dev prompt="a fox in {style} style" image_size.width=512 seed=7',
            "%%fal run fal-ai/flux/dev --to 'out/{seed}.{ext}' seed=7\na red fox,\nasleep under a birch",
        ),
        twin="fal.subscribe(endpoint, arguments)",
    ),
    SubcommandSpec(
        name="submit",
        words="endpoint",
        usage=_CALL_USAGE,
        takes_inputs=True,
        summary="the same without waiting: a job at once",
        details=f"Queues a request and returns a job; its card goes on by itself.\n\n{_CALL_DETAILS}",
        options=(
            _DRY_RUN,
            *_REUSING,
            *_BODY,
            _timeout("Give the job up after so many seconds."),
            *_SENDING,
            *_REMEMBERING,
            *_KEEPING,
        ),
        examples=(
            'job = %fal submit fal-ai/flux/schnell "a red fox" num_images=4',
            '%%fal submit fal-ai/flux/dev/image-to-image --json\n{"prompt": "a wolf", "image_url": "https://x.org/a.png"}',
        ),
        twin="fal.submit(endpoint, arguments)",
    ),
    SubcommandSpec(
        name="stream",
        words="endpoint",
        usage=_CALL_USAGE,
        takes_inputs=True,
        summary="show partial results as they come",
        details=f"""\
Calls an endpoint that streams, shows its text as it grows and its picture as it gets better, returns the last event as
the result. fal cannot cancel a stream: stopping the cell closes it, and it may be charged.

{_CALL_DETAILS}""",
        options=(
            _DRY_RUN,
            *_REUSING,
            *_BODY,
            _timeout("Longest silence between two events."),
            OptionSpec(
                name="path",
                kind="text",
                metavar="PATH",
                field="path",
                help="What follows the endpoint in the stream's address (/stream).",
            ),
            *(option for option in _SENDING if option.name not in _NOT_STREAMED),
            *(option for option in _REMEMBERING if option.name in {"tag", "note"}),
            *_KEEPING,
        ),
        examples=(
            '%fal stream fal-ai/any-llm "Why is the sky blue?"',
            "%%fal stream fal-ai/flux/dev seed=7\na red fox,\nasleep under a birch",
        ),
        twin="fal.stream(endpoint, arguments)",
    ),
    SubcommandSpec(
        name="form",
        words="endpoint",
        usage='ENDPOINT ["TEXT"] [NAME=VALUE …] [OPTIONS]',
        takes_inputs=True,
        summary="fill in an endpoint's inputs, run it, write the cell",
        details="""\
Draws the endpoint's inputs from its schema, checks them as they are typed, says what the call will cost, runs it, and
writes the `%fal run` cell that makes the same call: only what differs from the defaults.

What stands on the line is filled in at first; with %%fal the rest of the cell is the prompt.""",
        options=(*_BODY, *(option for option in _KEEPING if option.name == "var")),
        examples=("%fal form fal-ai/flux/dev", '%fal form fal-ai/flux/dev "a red fox" seed=7 -o form'),
        twin="fal.form(endpoint, arguments)",
    ),
    SubcommandSpec(
        name="canvas",
        words="endpoint",
        usage='ENDPOINT ["TEXT"] [NAME=VALUE …] [OPTIONS]',
        takes_inputs=True,
        summary="draw and turn knobs over a realtime endpoint, frames come back as you do",
        details="""\
Draws what a realtime endpoint takes: its inputs, and an area to draw on where one of them is a picture. Each change
goes to the endpoint at once, the newest wins; its frames are shown beside it, and any of them is pinned into the
history with one click. What stands on the line is filled in at first; a picture on it is what one draws on.

It connects with the first change and disconnects when it is idle, stopped or no longer seen: realtime is
billed by time.""",
        options=(
            OptionSpec(
                name="in_flight",
                field="in_flight",
                kind="count",
                metavar="N",
                help="Inputs that may be on their way at one time (2).",
            ),
            OptionSpec(
                name="idle",
                field="idle_s",
                kind="seconds",
                metavar="SECONDS",
                help="Disconnect after this long without an input (45).",
            ),
            OptionSpec(
                name="allow_unpriced",
                field="allow_unpriced",
                help="Connect under a budget although nobody knows what a session will cost.",
            ),
            *_BODY,
            *(option for option in _KEEPING if option.name == "var"),
        ),
        examples=(
            "%fal canvas fal-ai/lcm-sd15-i2i 'an island near sea, oil painting'",
            "%fal canvas fal-ai/fast-lcm-diffusion 'a harbour at dusk' --idle 120 -o canvas",
        ),
        twin="fal.canvas(endpoint, arguments)",
    ),
    _about_a_job("status", "where a job is", "Returns the state of a job: queue position, progress, last log lines."),
    _about_a_job(
        "result", "what a job returned", "Returns the result of a job and shows its outputs; waits if need be."
    ),
    _about_a_job("logs", "what an endpoint printed", "Prints the log lines of a job."),
    _about_a_job("cancel", "ask fal to stop a job", "Asks fal to stop a job and says what it answered."),
    SubcommandSpec(
        name="wait",
        words="jobs",
        usage="[JOB …] [OPTIONS]",
        summary="block until jobs have ended",
        details="""\
Waits until the jobs have ended, whichever way. JOB is a job's number (12 or #12) or fal's request id; without one
every open job of this notebook is meant, but for realtime sessions, which end when they are closed.""",
        options=(
            OptionSpec(name="all", field="all_open", help="Every open job of this notebook, as without a JOB."),
            _timeout("Stop waiting after so many seconds; the jobs go on."),
        ),
        examples=("%fal wait", "%fal wait #12 #13 --timeout 60"),
        twin="fal.wait(jobs)",
    ),
    SubcommandSpec(
        name="jobs",
        usage="[OPTIONS]",
        summary="all open work, of every kernel",
        details="""\
Shows the jobs that have not ended, each with its card: this notebook's, and those that other kernels follow. Jobs that
nobody follows any more, because their kernel ended, are counted; `%fal resume` carries them on.""",
        options=(_LIMIT,),
        examples=("%fal jobs", "%fal jobs --limit 20"),
        twin="fal.jobs()",
    ),
    SubcommandSpec(
        name="resume",
        summary="carry on what an earlier kernel left open",
        details="""\
Carries on with every open call that no living kernel follows, each with its card: requests that fal accepted are
followed, results that were had get their files, calls that never left are sent. A call that was on its way when its
kernel ended may or may not have arrived: it becomes unknown and is not sent again.""",
        examples=("%fal resume", "resumed = %fal resume"),
        twin="fal.resume()",
    ),
    SubcommandSpec(
        name="attach",
        words="search",
        usage="ENDPOINT REQUEST_ID",
        summary="follow a request that was made elsewhere",
        details="Follows a request by its id, with a card and a record of its own; nothing is sent again.",
        examples=(
            "%fal attach fal-ai/flux/dev 764cabcf-b745-4b3e-ae38-1200304cf45b",
            "job = %fal attach fal-ai/flux/dev 764cabcf-b745-4b3e-ae38-1200304cf45b",
        ),
        twin="fal.attach(endpoint, request_id)",
    ),
    SubcommandSpec(
        name="reconcile",
        words="choices",
        usage="[JOB=REQUEST_ID …] | --send-again JOB [--yes]",
        summary="settle calls whose answer was lost",
        details="""\
Reads the account's list of ended requests and settles the UNKNOWN calls it names: nothing is sent. Where several
requests can be meant they are shown, and #12=REQUEST_ID chooses. What is not listed stays UNKNOWN: only requests that
have ended are listed, and their arguments only where the account stores payloads.""",
        options=(
            OptionSpec(
                name="send_again",
                kind="job",
                metavar="JOB",
                field="send_again",
                help="Send this lost call once more, as a new job. Asks first: it may pay twice.",
            ),
            OptionSpec(name="yes", field="yes", help="Send it without asking."),
        ),
        examples=("%fal reconcile", "%fal reconcile #12=764cabcf-b745-4b3e-ae38-1200304cf45b"),
        twin="fal.reconcile({12: request_id}), fal.send_again(12)",
    ),
    SubcommandSpec(
        name="sweep",
        words="search",
        usage="ENDPOINT, or refine|resume|retry|pause|cancel|show|effects|score|export [NAME] [SCORER|PATH]",
        takes_body=True,
        summary="all combinations of some axes, under a budget",
        details="""\
With %%fal the cell is the plan: `name: value` a line; a list is an axis, a text holds {axis} and {variable}, `1..4` and
`2..5 step 0.5` are ranges, `seed: random 8` draws once; zip:, rows: and skip: are rules. What it comes to is shown
first; nothing is sent without --yes. `resume` runs or carries on a sweep, the newest where none is named; `retry` calls
again what failed; `pause` begins no further cell until `resume`; `cancel` ends it; `show` shows its board. With %%fal
`refine` adds the values of the cell, a name a line: what there is already is not called again. `export` writes it:
PATH ends in .png (contact sheet), .html (the board in one file), .csv, .json, .jsonl, .parquet (table), or is a
folder/ (every output, with a manifest).
`score` scores the outputs that are new to a SCORER: sharpness, brightness, colourfulness, ssim, phash, text_length, or
a function of the notebook; `duplicates` marks what looks alike. `effects` tells what a number comes to at each value of
each axis.""",
        options=(
            OptionSpec(name="name", kind="text", metavar="NAME", field="name", help="What it is called."),
            OptionSpec(
                name="budget",
                kind="amount",
                metavar="USD",
                field="budget",
                help="What all its calls may cost.",
            ),
            OptionSpec(name="window", kind="count", metavar="N", field="window", help="Calls at once (4)."),
            OptionSpec(name="allow_unpriced", field="allow_unpriced", help="Call also what nobody knows the price of."),
            OptionSpec(name="yes", field="yes", help="Run it at once."),
            OptionSpec(name="dry_run", field="dry_run", help="Show what the plan comes to and keep nothing of it."),
            OptionSpec(name="overwrite", field="overwrite", help="Let an export replace files that are there."),
            OptionSpec(name="tile", kind="count", metavar="PIXELS", field="tile", help="Of a contact sheet (256)."),
            OptionSpec(name="max_mb", kind="count", metavar="MB", field="max_mb", help="Of an exported board (64)."),
            OptionSpec(
                name="reference",
                kind="text",
                metavar="FILE",
                field="reference",
                help="What ssim and phash compare with: a file, or a cell's key.",
            ),
            OptionSpec(name="along", kind="text", metavar="AXIS", field="along", help="Or the axis of the neighbour."),
            OptionSpec(name="again", field="again", help="Score also what has a score already."),
            OptionSpec(
                name="values", kind="text", metavar="NUMBER", field="values", help="A score, cost, total_s or rating."
            ),
            OptionSpec(name="plot", field="plot", help="Draw the effects, with matplotlib."),
            OptionSpec(
                name="var",
                short="-o",
                kind="variable",
                metavar="NAME",
                field="var",
                help="Also put it here.",
            ),
        ),
        examples=(
            "%%fal sweep fal-ai/flux/dev --budget 2\nprompt: a {animal}\nanimal: [fox, owl]\nseed: [1, 2]",
            "sweep = %fal sweep resume styles --budget 4",
            "%fal sweep export styles out/styles.png",
            "%%fal sweep refine styles --yes\nanimal: [hare, newt]",
        ),
        twin="fal.sweep(endpoint, arguments, axes=…)",
    ),
    SubcommandSpec(
        name="history",
        words="search",
        usage="[WORD …] [OPTIONS]",
        summary="what was run, as a DataFrame",
        details="""\
Returns the records as a DataFrame, those only in which every WORD occurs if there are any, and that pass every filter.
A filter is NAME=VALUE, or != < <= > >= in place of =; NAME is any column or argument (image_size.width, too).
`--export` writes it to a PATH that ends in .csv, .json, .jsonl or .parquet, or in .html: its outputs as a gallery in
one file.""",
        options=(*_SELECTING, *_EXPORTING),
        examples=(
            "df = %fal history --since 7d --endpoint fal-ai/flux/dev",
            '%fal history "red fox" --state FAILED',
            "%fal history --tag keeper --rating >=4 --where seed=3 image_size.width>512",
            "%fal history --since 30d --export calls.csv",
        ),
        twin="fal.history(…)",
    ),
    SubcommandSpec(
        name="gallery",
        words="search",
        usage="[WORD …] [OPTIONS]",
        summary="what was made, to look through: search, rate, tag, compare",
        details="""\
Shows the outputs of those records in which every WORD occurs if there are any, and that pass every filter, as for
`%fal history`. Returns the gallery: its `selected` is the DataFrame of what is selected there.
`--export` writes it to a PATH: x.html is the gallery in one file that needs neither kernel nor network, with lightbox,
comparing, filters and the data; .csv, .json, .jsonl and .parquet are tables of its calls.""",
        options=(
            *_SELECTING,
            *_EXPORTING,
            OptionSpec(
                name="sweep",
                kind="text",
                metavar="NAME",
                field="sweep",
                help="Only the outputs of this sweep.",
            ),
        ),
        examples=(
            "%fal gallery --since 7d",
            '%fal gallery "red fox" --rating >=4',
            "gallery = %fal gallery --sweep styles",
            "%fal gallery --tag keeper --export keepers.html",
        ),
        twin="fal.gallery(…)",
    ),
    *CATALOGUE_SPECS,
    SubcommandSpec(
        name="replay",
        words="job",
        usage="[JOB] [OPTIONS]",
        summary="make an earlier call once more, byte for byte",
        details=f"""\
Sends what was sent then, waits for it and shows it; the new record names the old one. Inputs whose URLs are gone are
uploaded again, only those; a schema that has changed since is told of in one line.

{_JOB_DETAILS}""",
        options=(OptionSpec(name="yes", field="yes", help="Send also what came from outside: a file, an import."),),
        examples=("%fal replay", "%fal replay #12"),
        twin="fal.replay(job)",
    ),
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
        "billing": "usage",
        "inputs": "schema",
        "spending": "usage",
        "pricing": "price",
        "recommend_model": "recommend",
        "search": "models",
        "search_docs": "docs",
        "search_models": "models",
        "get": "result",
        "kill": "cancel",
        "list": "jobs",
        "log": "logs",
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
        "stop": "cancel",
        "submit_job": "submit",
        "subscribe": "run",
    }
)
"""Words people bring from other tools → the subcommand they mean."""

SWEEP_ACTIONS = ("refine", "resume", "retry", "pause", "cancel", "show", "export", "score", "effects")
"""What `sweep` does with one there is; any other word is the endpoint of a plan."""
SWEEP_OPTIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "plan": frozenset({"name", "budget", "window", "allow_unpriced", "yes", "dry_run", "var"}),
        "refine": frozenset({"budget", "yes", "var"}),
        "resume": frozenset({"budget", "var"}),
        "retry": frozenset({"budget", "var"}),
        "export": frozenset({"overwrite", "tile", "max_mb", "var"}),
        "score": frozenset({"reference", "along", "again", "var"}),
        "effects": frozenset({"values", "plot", "var"}),
    }
)
"""Action → the options that mean something to it; those that are not here take ``var`` alone."""

QUEUE_OPTIONS = ("max_queue_length", "no_retry", "webhook_url")
"""Options of run that mean nothing without a queue."""


def find_option(spec: SubcommandSpec, name: str) -> OptionSpec | None:
    """Return the option of ours that a token names: ``start-timeout``, ``start_timeout`` or ``-o``; else None."""
    wanted = name.replace("-", "_") if not name.startswith("-") else name
    return next((option for option in spec.options if wanted in {option.name, option.short}), None)
