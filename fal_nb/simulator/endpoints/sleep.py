"""An endpoint the service does not have: it does nothing for a given time, for tests and measurements."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel

from fal_nb.simulator.endpoints.endpoint import Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.shapes import field

__all__ = ["Sleep"]


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

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return the time asked for."""
        del studio
        return Plan(arguments.seconds, arguments.steps)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Return the text."""
        del studio
        return {"echo": arguments.echo}
