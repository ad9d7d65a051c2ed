"""The subcommands about what there is to call: models, what they take and cost."""

from __future__ import annotations

from fal_nb.catalogue.search import ANY, SORTS
from fal_nb.magics.option_groups import BODY, VARIABLE, WITH
from fal_nb.magics.specs import OptionSpec, SubcommandSpec

__all__ = ["CATALOGUE_SPECS"]

CATALOGUE_SPECS = (
    SubcommandSpec(
        name="models",
        words="search",
        usage="[WORD …] [category=NAME] [OPTIONS]",
        assigns_options=True,
        summary="what there is to call: search, look through, copy the line that calls it",
        details="""\
Shows the models in which every WORD occurs: in the endpoint, name, category, tags or description. Every option can be
written as NAME=VALUE, too. The whole catalogue is read once a day and kept, so that it can be searched without a
network. Returns the models: a list, with a DataFrame in its `frame`.""",
        options=(
            OptionSpec(
                name="category", kind="text", metavar="NAME", field="category", help="Such as text-to-image.", many=True
            ),
            OptionSpec(
                name="tag", kind="text", metavar="TAG", field="tags", help="With this tag; may be repeated.", many=True
            ),
            OptionSpec(
                name="kind",
                kind="choice",
                metavar="KIND",
                field="kind",
                choices=("inference", "training"),
                help="Only for inference, or only for training.",
            ),
            OptionSpec(
                name="license",
                kind="choice",
                metavar="LICENSE",
                field="license",
                choices=("commercial", "research", "private"),
                help="Only under this kind of licence.",
            ),
            OptionSpec(
                name="status",
                kind="choice",
                metavar="STATUS",
                field="status",
                choices=("active", "deprecated", ANY),
                help="active unless it is said.",
            ),
            OptionSpec(
                name="sort",
                kind="choice",
                metavar="ORDER",
                field="sort",
                choices=SORTS,
                help="best: how well the words fit.",
            ),
            OptionSpec(name="limit", kind="count", metavar="N", field="limit", help="Only the first N."),
            OptionSpec(name="refresh", field="refresh", help="Read the catalogue anew."),
            VARIABLE,
        ),
        examples=(
            "%fal models flux category=text-to-image",
            "models = %fal models --category image-to-video --sort newest",
        ),
        twin="fal.models(words, category=…)",
    ),
    SubcommandSpec(
        name="schema",
        words="endpoint",
        usage="ENDPOINT",
        summary="what an endpoint takes: types, defaults, allowed values",
        details="Shows the inputs of an endpoint as a table and returns its schema. Sends no call.",
        options=(VARIABLE,),
        examples=("%fal schema fal-ai/flux/dev", "schema = %fal schema fal-ai/flux/dev"),
        twin="fal.schema(endpoint)",
    ),
    SubcommandSpec(
        name="price",
        words="endpoint",
        usage='ENDPOINT ["TEXT"] [NAME=VALUE …]',
        takes_inputs=True,
        summary="what a call would cost",
        details="""\
Shows the price of a unit and what a call with these inputs would cost: at least, at most, and how that is reckoned.
Sends no call.""",
        options=(
            *BODY,
            WITH,
            VARIABLE,
        ),
        examples=(
            "%fal price fal-ai/flux/dev",
            '%fal price fal-ai/flux/dev prompt="a fox" image_size=square_hd num_images=4',
        ),
        twin="fal.price(endpoint, arguments)",
    ),
    SubcommandSpec(
        name="usage",
        usage="[OPTIONS]",
        assigns_options=True,
        summary="what was spent by day and endpoint, here and by the account",
        details="""\
Shows what the calls of this machine's history cost, by day and endpoint, beside what the account came to at fal, and
what the two differ by. The account's own numbers and its balance need a key of scope ADMIN; without one the history
stands alone. Sends no call.""",
        options=(
            OptionSpec(name="days", kind="count", metavar="N", field="days", help="How many days back (30)."),
            VARIABLE,
        ),
        examples=("%fal usage", "%fal usage --days 7"),
        twin="fal.usage(days)",
    ),
    SubcommandSpec(
        name="docs",
        words="search",
        usage="QUESTION",
        summary="what fal's documentation says",
        details="""\
Searches fal's documentation through its MCP servers and shows what it finds. Sends no call. It wants the package mcp:
pip install 'fal_nb[mcp]'.""",
        options=(VARIABLE,),
        examples=('%fal docs "cancel a queued request"', '%fal docs "verify the signature of a webhook" -o found'),
        twin="fal.docs(question)",
    ),
    SubcommandSpec(
        name="recommend",
        words="search",
        usage="TASK",
        summary="which models fal recommends for a task",
        details="""\
Asks fal's MCP servers for models that suit a task. Sends no call. fal gives them in the order it found them, which says
nothing of their quality. It wants the package mcp: pip install 'fal_nb[mcp]'.""",
        options=(VARIABLE,),
        examples=(
            '%fal recommend "make a photo of a product stand on white"',
            '%fal recommend "speech from a long text" -o advice',
        ),
        twin="fal.recommend(task)",
    ),
)
