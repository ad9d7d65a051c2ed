"""The subcommands about what was made: history and gallery."""

from __future__ import annotations

from fal_nb.magics.option_groups import EXPORTING, SELECTING
from fal_nb.magics.specs import OptionSpec, SubcommandSpec

__all__ = ["HISTORY_SPECS"]

HISTORY_SPECS = (
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
        options=(*SELECTING, *EXPORTING),
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
            *SELECTING,
            *EXPORTING,
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
)
