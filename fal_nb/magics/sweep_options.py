"""The subcommand ``sweep``: its actions, and which options mean something to each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fal_nb.magics.option_groups import VARIABLE
from fal_nb.magics.specs import OptionSpec, SubcommandSpec

__all__ = ["SWEEP", "SWEEP_ACTIONS", "SWEEP_OPTIONS"]

SWEEP = SubcommandSpec(
    name="sweep",
    words="search",
    usage="ENDPOINT, or list, or refine|resume|retry|pause|cancel|show|effects|score|export [NAME] […]",
    takes_body=True,
    summary="all combinations of some axes, under a budget",
    details="""\
With %%fal the cell is the plan: `name: value` a line; a list is an axis, a text holds {axis} and {variable}, `1..4` and
`2..5 step 0.5` are ranges, `seed: random 8` draws once; zip:, rows: and skip: are rules. What it comes to is shown
first; nothing is sent without --yes. `resume` runs or carries on a sweep, the newest where none is named; `retry` calls
again what failed; `pause` begins no further cell until `resume`; `cancel` ends it; `show` shows its board; `list` lists
the sweeps there are. With %%fal
`refine` adds the values of the cell, a name a line: what there is already is not called again. `export` writes it:
PATH ends in .png (contact sheet), .html (the board in one file), .csv, .json, .jsonl, .parquet (table), or is a
folder/ (every output, with a manifest).
`score` scores the outputs that are new to a SCORER: sharpness, brightness, colourfulness, ssim, phash, text_length, or
a function of the notebook; `duplicates` marks what looks alike. `effects` tells what a number comes to at each value of
each axis: of the cost, or of what --values names.""",
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
        VARIABLE,
    ),
    examples=(
        "%%fal sweep fal-ai/flux/dev --budget 2\nprompt: a {animal}\nanimal: [fox, owl]\nseed: [1, 2]",
        "sweep = %fal sweep resume styles --budget 4",
        "%fal sweep export styles out/styles.png",
        "%%fal sweep refine styles --yes\nanimal: [hare, newt]",
    ),
    twin="fal.sweep(endpoint, arguments, axes=…)",
)

SWEEP_ACTIONS = ("list", "refine", "resume", "retry", "pause", "cancel", "show", "export", "score", "effects")
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
