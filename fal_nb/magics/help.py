"""Help as text, made from the table, so that what it says is what the parser does."""

from __future__ import annotations

import textwrap

from fal_nb.errors import GrammarError
from fal_nb.magics.options import SUBCOMMANDS, OptionSpec, SubcommandSpec
from fal_nb.templates.mistakes import nearest, shorten

__all__ = ["help_text"]

_WIDTH = 100
"""A notebook in a window of 1,280 pixels shows 104 letters a line, and breaks longer ones anywhere."""
_GRAMMAR = """\
How a line is written

  %fal SUBCOMMAND ITEM …        spaces separate; " #" outside quotes begins a comment; a last ";"
                                silences the output
  %%fal SUBCOMMAND ITEM …       the same with a body: the rest of the cell, as written

Items
  name="a text"                 always a text; \\" \\\\ \\n inside "…", nothing special inside '…';
                                “…” works too
  name=512   name=true          a number, true, false or null, else a text; up to the next space
  name=[1, 2]   name={"k": 1}   JSON, up to the closing bracket
  name={variable}               the Python object itself: a number, a picture, an array, a result,
                                a file
  name=@cat.png                 a local file, uploaded by itself; name=@"my cat.png" with spaces
  name:=JSON                    JSON in any case, braces and all
  image_size.width=512          a name inside a name
  --name value   --name         the same as name=value and name=true; a hyphen in the name reads as _

Variables in texts and bodies
  {name}  {name.attribute}  {name[key]}
                                the notebook's variables, put in once; {{ and }} for braces;
                                anything more belongs in a Python variable

Jobs
  12  #12  REQUEST-ID           after status, result, logs, cancel and wait, where #12 is no comment
  #12=REQUEST-ID                after reconcile: job 12 is this request

Bodies of %%fal run and %%fal submit
  text                          the prompt (or the input that --body NAME names), without its
                                common indentation
  --json                        a JSON object with the arguments, no variables
  --yaml                        YAML with the arguments, variables in its texts

The same name twice is an error, also between body and line.
"""


def help_text(topic: str | None = None) -> str:
    """Return the help of a subcommand, of the ``grammar``, or the overview.

    Raises
    ------
    GrammarError
        Where there is no such topic.
    """
    if topic is None:
        return _overview()
    if topic == "grammar":
        return _GRAMMAR
    spec = SUBCOMMANDS.get(topic)
    if spec is None:
        topics = (*SUBCOMMANDS, "grammar")
        like = nearest(topic, topics)
        hint = f"Did you mean %fal help {like}?" if like else f"There is help on {', '.join(topics)}."
        raise GrammarError(f"There is no help on {shorten(topic)!r}. {hint}")
    return _subcommand(spec)


def _overview() -> str:
    width = max(len(name) for name in SUBCOMMANDS)
    rows = "\n".join(f"  {spec.name:<{width}}  {spec.summary}" for spec in SUBCOMMANDS.values())
    return f"""\
%fal SUBCOMMAND …        in a line;  %%fal SUBCOMMAND … with the rest of the cell as its body

{rows}

For example
  %fal run fal-ai/flux/dev prompt="a red fox" seed=7
  job = %fal submit fal-ai/flux/schnell "a red fox"
  df = %fal history --since 7d

`%fal help SUBCOMMAND`, or `%fal SUBCOMMAND?`, shows what it takes, `%fal help grammar` how values are
written. Tab completes endpoints, their inputs and values. `%config FalMagics` lists what can be set.
"""


def _subcommand(spec: SubcommandSpec) -> str:
    percent = "%fal" if spec.words != "endpoint" else "%fal or %%fal"
    details = [textwrap.fill(paragraph, _WIDTH) for paragraph in spec.details.split("\n\n")]
    parts = [f"{percent} {spec.name} {spec.usage}".rstrip(), *details]
    if spec.options:
        parts.append("Options\n" + "\n".join(_option(option) for option in spec.options))
    examples = "\n".join(textwrap.indent(example, "  ") for example in spec.examples)
    parts.append(f"Examples\n{examples}")
    if spec.twin:
        parts.append(f"In Python: {spec.twin}")
    return "\n\n".join(parts) + "\n"


def _option(option: OptionSpec) -> str:
    names = ", ".join(name for name in (option.short, option.spelling) if name)
    head = f"  {names} {option.metavar}".rstrip()
    lines = textwrap.wrap(option.help, _WIDTH - 30)
    return "\n".join(f"{start:<28}  {line}" for start, line in zip([head, *[""] * len(lines)], lines, strict=False))
