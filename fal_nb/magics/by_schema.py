"""What a line means by the endpoint's schema: bare values by the type of their input, the body by the text input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.errors import GrammarError
from fal_nb.magics.arguments import CallArguments, build_arguments
from fal_nb.magics.values import Coerce, coerce_bare
from fal_nb.protocol.status import JSON
from fal_nb.schemas.bare import is_text, text_input_of

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
        As `build_arguments`, and where nothing says which input the text is for.
    FileError
        Where a file cannot be read.
    """
    if schema is None:
        return build_arguments(call, namespace)
    text_input = text_input_of(schema)
    has_text = call.text is not None or (call.body is not None and call.body_mode == "text")
    if has_text and text_input is None and call.text_input is None:
        raise GrammarError(
            f"{call.endpoint} has no input called prompt, and several or none that take a text: "
            f"say which with --body NAME (it has {', '.join(schema.names)})."
        )
    return build_arguments(call, namespace, _coerce_by(schema), text_input=text_input or "prompt")


def _coerce_by(schema: EndpointSchema) -> Coerce:
    def coerce(name: str, text: str, /) -> JSON:
        return text if is_text(schema, name, text) else coerce_bare(name, text)

    return coerce
