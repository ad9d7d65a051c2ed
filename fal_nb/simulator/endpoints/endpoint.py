"""What a simulated endpoint is: its models, price, timing and generator. Nothing here knows HTTP."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from pydantic import BaseModel, ValidationError

from fal_nb.simulator.endpoints.detail import validation_detail

__all__ = ["EndpointFailure", "Live", "Plan", "Price", "SimulatedEndpoint", "Studio"]


Live: TypeAlias = Literal["unary", "series"]
"""One output for each input, or many outputs for one input, after which the session is over."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a unit costs, in US dollars; `unit` in the words of the pricing API."""

    unit: str
    unit_price: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a call takes at speed 1, and the bars it prints.

    Attributes
    ----------
    steps
        Steps of its bar; 0 for an endpoint that prints none.
    opening
        Log lines before the first step.
    """

    duration_s: float
    steps: int = 0
    opening: tuple[str, ...] = ()


class EndpointFailure(Exception):  # noqa: N818 - it is an answer, not a mistake of ours
    """The endpoint refuses or fails: the HTTP status and ``detail`` its result answers with."""

    def __init__(self, status_code: int, detail: Any) -> None:
        super().__init__(f"HTTP {status_code}")
        self.status_code = status_code
        self.detail = detail


class Studio(Protocol):
    """What a generator may use of the server around it; callable from any thread."""

    @property
    def request_id(self) -> str:
        """The request it works for."""

    @property
    def cancelled(self) -> threading.Event:
        """Set when nobody wants the outcome any more."""

    def publish(self, data: bytes, content_type: str, file_name: str) -> str:
        """Put bytes on the CDN and return their URL."""

    def fetch(self, url: str, field: str) -> tuple[bytes, str]:
        """Return (bytes, content type) of an input file: a data URI or a file of the simulator's own CDN.

        Raises
        ------
        EndpointFailure
            Where it is neither, or not there; `field` is the argument that named it.
        """

    def remember(self, data: bytes, text: str) -> None:
        """Keep what a piece of speech says, by the digest of its bytes."""

    def recall(self, data: bytes) -> str | None:
        """Return what a piece of speech says, if it was made here."""


class SimulatedEndpoint(ABC):
    """One endpoint. Instances are stateless and shared by all calls."""

    endpoint_id: ClassVar[str]
    title: ClassVar[str]
    category: ClassVar[str]
    description: ClassVar[str] = ""
    input_model: ClassVar[type[BaseModel]]
    output_model: ClassVar[type[BaseModel]]
    price: ClassVar[Price]
    streams: ClassVar[bool] = False
    reads_files: ClassVar[bool] = False
    """Whether `plan` fetches an input file, so that it must not run on the loop's thread."""
    live: ClassVar[Live | None] = None
    """How it answers over a realtime connection; None where it does not."""
    live_bytes: ClassVar[bool] = False
    """Whether pictures come as raw bytes in ``content`` there. Source: fal-js, demo ``camera-turbo``."""

    def parse(self, arguments: Any) -> BaseModel:
        """Return checked arguments; unknown names are ignored, as the service does.

        Raises
        ------
        EndpointFailure
            422 with the service's field-by-field detail.
        """
        try:
            return self.input_model.model_validate(arguments)
        except ValidationError as error:
            raise EndpointFailure(422, validation_detail(error)) from error

    @abstractmethod
    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return how long the call takes and what it prints."""

    @abstractmethod
    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Return the result; runs in a worker thread."""

    def live_s(self, arguments: Any) -> float:  # noqa: ARG002 - a hook
        """Return the least time one realtime output takes, in seconds at speed 1; none for those that draw."""
        return 0.0

    def generate_live(self, arguments: Any, studio: Studio, memory: dict[str, Any]) -> dict[str, Any]:
        """Return the result of one realtime frame; runs in a worker thread, of a session one at a time.

        Parameters
        ----------
        memory
            Lives as long as the session.
        """
        del memory
        return self.generate(arguments, studio)

    def generate_series(self, arguments: Any, studio: Studio) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - a hook
        """Yield what one realtime input comes to, where `live` says ``series``."""
        return iter(())

    def partials(self, arguments: Any, result: dict[str, Any], studio: Studio) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - a hook
        """Yield what a stream sends before the final result; nothing unless the endpoint has something to show."""
        return iter(())

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:  # noqa: ARG002 - a hook
        """Return the units charged for a call that went well: one, unless the endpoint counts otherwise."""
        return 1.0
