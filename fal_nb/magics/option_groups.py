"""Options that several subcommands share, each written once."""

from __future__ import annotations

from fal_nb.magics.specs import OptionSpec
from fal_nb.states import FINAL_STATES, OPEN_STATES

__all__ = [
    "BODY",
    "DRY_RUN",
    "EXPORTING",
    "KEEPING",
    "LIMIT",
    "REMEMBERING",
    "REUSING",
    "SELECTING",
    "SENDING",
    "VARIABLE",
    "WITH",
    "timeout_option",
]

BODY = (
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
SENDING = (
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
WITH = OptionSpec(
    name="with",
    kind="input",
    metavar="NAME",
    field="base",
    help="Build on arguments that were kept as NAME; what the line gives wins.",
)
REUSING = (
    WITH,
    OptionSpec(
        name="save", kind="input", metavar="NAME", field="save", help="Keep the arguments as NAME, for --with NAME."
    ),
)
DRY_RUN = OptionSpec(
    name="dry_run", field="dry_run", help="Send nothing: show the request, its price, and the call to be copied."
)
REMEMBERING = (
    OptionSpec(name="memo", field="memo", help="Answer from the history where an equal call succeeded; send nothing."),
    OptionSpec(name="no_memo", field="no_memo", help="Call in any case, whatever FalMagics.memo says."),
    OptionSpec(
        name="tag", kind="text", metavar="TAG", field="tags", many=True, help="Tag the record; may be repeated."
    ),
    OptionSpec(name="note", kind="text", metavar="TEXT", field="note", help="Write a note on the record."),
)
VARIABLE = OptionSpec(
    name="var",
    short="-o",
    kind="variable",
    metavar="NAME",
    field="var",
    help="Also put what is returned into this variable.",
)
KEEPING = (
    OptionSpec(
        name="to",
        kind="text",
        metavar="PATTERN",
        field="to",
        help="Also save the outputs as files, for example 'out/{seed}.{ext}'.",
    ),
    VARIABLE,
)


def timeout_option(text: str) -> OptionSpec:
    """Return ``--timeout``, in seconds; what it bounds differs and is said by `text`."""
    return OptionSpec(name="timeout", kind="seconds", metavar="SECONDS", field="timeout_s", help=text)


LIMIT = OptionSpec(name="limit", kind="count", metavar="N", field="limit", help="Only the newest N.")
SELECTING = (
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
    LIMIT,
)
"""Options that select records, as ``history`` and ``gallery`` do."""
EXPORTING = (
    OptionSpec(name="export", kind="text", metavar="PATH", field="export", help="Also write it to this file."),
    OptionSpec(name="overwrite", field="overwrite", help="Let the export replace a file that is there."),
    OptionSpec(name="max_mb", kind="count", metavar="MB", field="max_mb", help="Of an exported page (64)."),
)
