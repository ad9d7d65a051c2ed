"""What a line means by the endpoint's schema: bare values by the type of their input, the body by the text input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.errors import GrammarError
from fal_nb.magics.arguments import CallArguments, build_arguments
from fal_nb.magics.grammar import parses
from fal_nb.magics.items import Option
from fal_nb.magics.options import SUBCOMMANDS
from fal_nb.magics.values import Coerce, coerce_bare
from fal_nb.protocol.status import JSON
from fal_nb.schemas.bare import is_text, text_input_of
from fal_nb.templates.mistakes import Edit, Mistake, explain, nearest

if TYPE_CHECKING:
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["arguments_by_schema"]


def arguments_by_schema(
    call: CallArguments, namespace: Mapping[str, Any], schema: EndpointSchema | None
) -> dict[str, Any]:
    """Return the arguments a call means; without a schema bare values are JSON or text, and the body is the prompt.

    Raises
    ------
    GrammarError
        As `build_arguments`, where nothing says which input the text is for, and where a name after ``--`` is no input
        but close to an option.
    FileError
        Where a file cannot be read.
    """
    if schema is None:
        return build_arguments(call, namespace)
    if not call.unchecked:
        _refuse_misspelt_options(call, schema)
    text_input = text_input_of(schema)
    has_text = call.text is not None or (call.body is not None and call.body_mode == "text")
    if has_text and text_input is None and call.text_input is None:
        raise GrammarError(
            f"{call.endpoint} has no input called prompt, and several or none that take a text: "
            f"say which with --body NAME (it has {', '.join(schema.names)})."
        )
    return build_arguments(call, namespace, _coerce_by(schema), text_input=text_input or "prompt")


def _refuse_misspelt_options(call: CallArguments, schema: EndpointSchema) -> None:
    subcommand = call.line.split(maxsplit=1)[0]
    options = {option.name: option.spelling for option in SUBCOMMANDS[subcommand].options}
    for item in call.inputs:
        name = item.name[0]
        if not isinstance(item, Option) or name in schema.names:
            continue
        meant = nearest(name, [*options, *schema.names])
        if meant in options:
            what = f"{call.endpoint} has no input {name}, {subcommand} no such option; did you mean {options[meant]}?"
            start, end = item.column, item.column + len(item.raw)
            right = Edit(start, end, item.raw.replace(item.raw.split("=")[0].split()[0], options[meant], 1))
            raise explain(Mistake(what, start, right), call.line, call.magic, parses)


def _coerce_by(schema: EndpointSchema) -> Coerce:
    def coerce(name: str, text: str, /) -> JSON:
        return text if is_text(schema, name, text) else coerce_bare(name, text)

    return coerce
