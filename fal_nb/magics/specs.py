"""What a subcommand and an option are, as the parser, the help and the completion know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["OptionKind", "OptionSpec", "SubcommandSpec", "Words"]

OptionKind: TypeAlias = Literal[
    "flag", "text", "variable", "input", "seconds", "count", "amount", "length", "choice", "since", "life", "tags",
    "url", "job", "filter", "rating",
]  # fmt: skip
"""``variable`` is a Python name, ``input`` a name of an endpoint's input, ``since`` a date or an age, ``life`` how long
a file lives, ``length`` a number from 0, ``filter`` one or more of ``NAME=VALUE``, ``rating`` a number with ``>=`` or
the like before it."""

Words: TypeAlias = Literal["endpoint", "job", "jobs", "choices", "search", "action", "topic", "none"]
"""What words without a name mean: an endpoint and its text, at most one job, any number of jobs, of JOB=REQUEST_ID …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec:
    """One option of ours.

    Attributes
    ----------
    name
        Without its hyphens, ``_`` for ``-``.
    field
        The field of the subcommand's class that it fills.
    metavar
        What stands for its value in the help; empty for a flag.
    short
        ``-o``, or empty.
    many
        Whether it may be given several times; its field is then a tuple.
    """

    name: str
    help: str
    kind: OptionKind = "flag"
    field: str = ""
    metavar: str = ""
    short: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False

    @property
    def spelling(self) -> str:
        """As typed: ``--start-timeout``."""
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubcommandSpec:
    """One subcommand.

    Attributes
    ----------
    usage
        What follows the subcommand, in the help's notation.
    summary
        One line for the overview.
    details
        Paragraphs for its own help.
    takes_body
        Whether a cell's body belongs to it, although it takes no inputs.
    assigns_options
        Whether ``name=value`` means ``--name value`` of ours.
    takes_inputs
        Whether ``name=value`` and unknown options are inputs of an endpoint, and a cell's body belongs to them.
    choices
        The words allowed, where they are fixed.
    twin
        The Python function that does the same.
    """

    name: str
    summary: str
    details: str
    examples: tuple[str, ...]
    words: Words = "none"
    usage: str = ""
    options: tuple[OptionSpec, ...] = ()
    takes_inputs: bool = False
    takes_body: bool = False
    assigns_options: bool = False
    choices: tuple[str, ...] = ()
    twin: str = ""
