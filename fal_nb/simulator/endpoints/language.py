"""Language models: openrouter/router, and any-llm before it. Source: their fal.ai ``llms.txt`` pages; fal-js types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from fal_nb.simulator.endpoints.endpoint import Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.shapes import field, optional_field
from fal_nb.simulator.endpoints.transcript import made_up
from fal_nb.simulator.media.look import seeded

__all__ = ["AnyLlm", "OpenRouter"]

_PROMPT = "Prompt to be used for the chat completion"
_SYSTEM = "Context that tells the model how to answer."
_REASONING = "Should reasoning be a part of the final answer."
_TEMPERATURE = "How various the answers are: 0 gives the same one every time."
_USUAL_WORDS = 70
_LETTERS_A_TOKEN = 4
_WORDS_A_PARTIAL = 6
_TOKEN_PRICE = 2e-6


class RouterInput(BaseModel):
    """Arguments of openrouter/router, in display order."""

    prompt: str = field(..., _PROMPT, examples=["Write a short story (under 200 words) about an AI."])
    system_prompt: str | None = optional_field(_SYSTEM)
    model: str = field(..., "Name of the model to use.", examples=["google/gemini-2.5-flash"])
    reasoning: bool = field(False, _REASONING)
    temperature: float = field(1, _TEMPERATURE, ge=0, le=2)
    max_tokens: int | None = optional_field("The most tokens the answer may have.", ge=1)


class RouterOutput(BaseModel):
    """What it answers."""

    output: str = field(..., "Generated output")
    reasoning: str | None = optional_field("Generated reasoning for the final answer")
    partial: bool = field(False, "Whether the output is partial")
    error: str | None = optional_field("Error message if an error occurred")
    usage: dict[str, Any] | None = optional_field("Token usage information")


class AnyLlmInput(BaseModel):
    """Arguments of fal-ai/any-llm, in display order; the names its `model` took are a free text here."""

    prompt: str = field(..., _PROMPT, examples=["What is the meaning of life?"])
    system_prompt: str | None = optional_field(_SYSTEM)
    reasoning: bool = field(False, _REASONING)
    priority: Literal["throughput", "latency"] = field("latency", "What matters more.")
    temperature: float | None = optional_field(_TEMPERATURE, ge=0, le=2)
    max_tokens: int | None = optional_field("The most tokens the answer may have.", ge=1)
    model: str = field("google/gemini-2.5-flash-lite", "Name of the model to use.")


class AnyLlmOutput(BaseModel):
    """What it answers."""

    output: str = field(..., "Generated output")
    reasoning: str | None = optional_field("Generated reasoning for the final answer")
    partial: bool = field(False, "Whether the output is partial")
    error: str | None = optional_field("Error message if an error occurred")


class AnyLlm(SimulatedEndpoint):
    """Plain sentences about nothing, the same for the same question where the temperature is 0; one price a call."""

    endpoint_id: ClassVar[str] = "fal-ai/any-llm"
    title: ClassVar[str] = "Any LLM"
    category: ClassVar[str] = "llm"
    description: ClassVar[str] = "Answers from language models."
    input_model: ClassVar[type[BaseModel]] = AnyLlmInput
    output_model: ClassVar[type[BaseModel]] = AnyLlmOutput
    price: ClassVar[Price] = Price("requests", 0.001)
    streams: ClassVar[bool] = True

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with the most it may write."""
        del studio
        return Plan(0.6 + 0.012 * min(_USUAL_WORDS, arguments.max_tokens or _USUAL_WORDS))

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Write the answer."""
        whim = studio.request_id if arguments.temperature else ""
        lot = seeded("llm", arguments.model, arguments.prompt, arguments.system_prompt, whim)
        topic = " ".join(arguments.prompt.split()[:8])
        words = f"You asked about “{topic}”. {made_up(_USUAL_WORDS, lot)}".split()
        words = words[: arguments.max_tokens]
        thought = f"The question has {len(arguments.prompt.split())} words." if arguments.reasoning else None
        return {"output": " ".join(words), "reasoning": thought, "partial": False, "error": None}

    def partials(self, arguments: Any, result: dict[str, Any], studio: Studio) -> Iterator[dict[str, Any]]:
        """Yield what is written so far, as it grows."""
        del arguments, studio
        words = result["output"].split()
        for count in range(_WORDS_A_PARTIAL, len(words), _WORDS_A_PARTIAL):
            yield {"output": " ".join(words[:count]), "reasoning": result["reasoning"], "partial": True, "error": None}


class OpenRouter(AnyLlm):
    """The same, billed by tokens: every word written is one, and every four letters of the question."""

    endpoint_id: ClassVar[str] = "openrouter/router"
    title: ClassVar[str] = "OpenRouter"
    input_model: ClassVar[type[BaseModel]] = RouterInput
    output_model: ClassVar[type[BaseModel]] = RouterOutput
    price: ClassVar[Price] = Price("1000 tokens", 1000 * _TOKEN_PRICE)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Write the answer and count its tokens."""
        result = super().generate(arguments, studio)
        asked = -(-len(arguments.prompt + (arguments.system_prompt or "")) // _LETTERS_A_TOKEN)
        written = len(result["output"].split())
        total = asked + written
        usage = {
            "prompt_tokens": asked,
            "completion_tokens": written,
            "total_tokens": total,
            "cost": round(total * _TOKEN_PRICE, 9),
        }
        return result | {"usage": usage}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return thousands of tokens."""
        del arguments, inference_s
        return float(result["usage"]["total_tokens"] / 1000)
