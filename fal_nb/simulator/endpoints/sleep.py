"""Endpoints the service does not have, for tests and measurements: they draw nothing, and take a given time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import BaseModel

from fal_nb.simulator.endpoints.endpoint import Live, Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.shapes import field

__all__ = ["Count", "Sleep"]


class SleepInput(BaseModel):
    """Arguments of simulator/sleep."""

    seconds: float = field(0.2, "How long it takes, divided by the simulator's speed.", ge=0, le=3600)
    steps: int = field(0, "How many steps its bar counts.", ge=0, le=10_000)
    echo: str = field("", "Text to answer with.")


class SleepOutput(BaseModel):
    """What it answers."""

    echo: str = field(..., "The text it was given.")


class Sleep(SimulatedEndpoint):
    """Draws nothing, so that only the protocol is measured."""

    endpoint_id: ClassVar[str] = "simulator/sleep"
    title: ClassVar[str] = "Sleep"
    category: ClassVar[str] = "text-to-text"
    description: ClassVar[str] = "Waits, then answers with the text it was given."
    input_model: ClassVar[type[BaseModel]] = SleepInput
    output_model: ClassVar[type[BaseModel]] = SleepOutput
    price: ClassVar[Price] = Price("requests", 0.001)
    live: ClassVar[Live | None] = "unary"

    def live_s(self, arguments: Any) -> float:
        """Return the time asked for."""
        return float(arguments.seconds)

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return the time asked for."""
        del studio
        return Plan(arguments.seconds, arguments.steps)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Return the text."""
        del studio
        return {"echo": arguments.echo}


class CountInput(BaseModel):
    """Arguments of simulator/count."""

    count: int = field(3, "How far to count.", ge=0, le=100_000)
    seconds: float = field(0.0, "How long each step takes, divided by the simulator's speed.", ge=0, le=60)


class CountOutput(BaseModel):
    """What it answers, and each of its realtime outputs."""

    index: int = field(..., "The number counted to, from 0 on.")


class Count(SimulatedEndpoint):
    """Counts; over a realtime connection it answers one input with every number."""

    endpoint_id: ClassVar[str] = "simulator/count"
    title: ClassVar[str] = "Count"
    category: ClassVar[str] = "text-to-text"
    description: ClassVar[str] = "Counts up to a number."
    input_model: ClassVar[type[BaseModel]] = CountInput
    output_model: ClassVar[type[BaseModel]] = CountOutput
    price: ClassVar[Price] = Price("requests", 0.001)
    live: ClassVar[Live | None] = "series"

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return the time of all steps."""
        del studio
        return Plan(arguments.seconds * arguments.count)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Return the last number."""
        del studio
        return {"index": arguments.count - 1}

    def live_s(self, arguments: Any) -> float:
        """Return the time of one step."""
        return float(arguments.seconds)

    def generate_series(self, arguments: Any, studio: Studio) -> Iterator[dict[str, Any]]:
        """Yield every number."""
        del studio
        return ({"index": index} for index in range(arguments.count))
