"""What a runner does with a request: check, draw in a worker thread, print its bars meanwhile, answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from fal_nb.protocol import headers as names
from fal_nb.simulator.answers import Answer, infrastructure_failure, model_failure, units_text
from fal_nb.simulator.endpoints.detail import field_error
from fal_nb.simulator.endpoints.endpoint import EndpointFailure, Plan
from fal_nb.simulator.error_catalogue import MODEL_ERRORS, REQUEST_ERRORS, RETRYABLE_REQUEST_ERRORS
from fal_nb.simulator.faults import Fault
from fal_nb.simulator.request import SimulatedRequest
from fal_nb.simulator.step_bars import bar_line, printed_steps
from fal_nb.simulator.storage import FileStore
from fal_nb.simulator.studio import RequestStudio, SpeechMemory

__all__ = ["Runner", "RunnerLost"]

_LOG = logging.getLogger(__name__)


class RunnerLost(Exception):  # noqa: N818 - an event of the simulation, not a mistake of ours
    """The runner went away in the middle; the queue gives the request to another."""


@dataclass(frozen=True, slots=True)
class Runner:
    """The workshop all runners share.

    Attributes
    ----------
    speed
        Every planned duration is divided by it.
    """

    files: FileStore
    speech: SpeechMemory
    threads: Executor
    speed: float

    async def work(self, request: SimulatedRequest) -> Answer:
        """Return what the request comes to; failures of the endpoint are answers too.

        Raises
        ------
        RunnerLost
            Where a fault asked for it.
        """
        studio = RequestStudio(request.request_id, self.files, self.speech, request.media_life_s)
        try:
            return await self._work(request, studio)
        except EndpointFailure as failure:
            return self._failed(request, failure)
        except (RunnerLost, asyncio.CancelledError):
            studio.cancelled.set()
            raise
        except Exception:  # noqa: BLE001 - a mistake of one endpoint is its answer, not the end of the server
            _LOG.exception("The simulated endpoint %s failed", request.endpoint.endpoint_id)
            return infrastructure_failure(
                500, "runner_server_error", "The simulated endpoint has a mistake of its own."
            )

    async def stream(self, request: SimulatedRequest) -> AsyncGenerator[dict[str, Any]]:
        """Yield partial results spread over the planned time, at last the result; sets the request's answer.

        Raises
        ------
        EndpointFailure
            Before the first item, where the arguments are refused.
        """
        studio = RequestStudio(request.request_id, self.files, self.speech, request.media_life_s)
        loop = asyncio.get_running_loop()
        started = loop.time()
        arguments = _checked(request)
        plan = await self._plan(request, arguments, studio)
        try:
            result = await loop.run_in_executor(self.threads, request.endpoint.generate, arguments, studio)
            duration_s = self._duration_s(request, plan)
            # From here on it is charged, also where the reader leaves before the end.
            request.answer = self._succeeded(request, arguments, result, duration_s)
            partials = await loop.run_in_executor(
                self.threads, lambda: list(request.endpoint.partials(arguments, result, studio))
            )
            for index, partial in enumerate(partials):
                await _sleep_until(started + duration_s * (index + 1) / (len(partials) + 1))
                yield partial
            await _sleep_until(started + duration_s)
            yield result
        finally:
            studio.cancelled.set()

    async def _work(self, request: SimulatedRequest, studio: RequestStudio) -> Answer:
        loop = asyncio.get_running_loop()
        started = loop.time()
        arguments = _checked(request)
        plan = await self._plan(request, arguments, studio)
        faults = {fault.name: fault for fault in request.faults if fault.kind.stage == "job"}
        duration_s = self._duration_s(request, plan)
        stop = _first_stop(faults)
        drawing = loop.run_in_executor(self.threads, request.endpoint.generate, arguments, studio)
        until_s = duration_s * (stop.number("at") if stop else 1.0)
        playing = asyncio.ensure_future(_play(request, plan, until_s, duration_s))
        try:
            waited: set[asyncio.Future[Any]] = {playing} if stop else {playing, drawing}
            await asyncio.wait(waited, return_when=asyncio.FIRST_EXCEPTION)
            if stop is not None:
                return self._stopped(request, stop)
            result = await drawing
            await playing
        finally:
            playing.cancel()
            drawing.cancel()
        return self._succeeded(request, arguments, result, loop.time() - started)

    def _duration_s(self, request: SimulatedRequest, plan: Plan) -> float:
        long = next((fault for fault in request.faults if fault.name == "long"), None)
        return plan.duration_s / self.speed if long is None else long.number("seconds")

    async def _plan(self, request: SimulatedRequest, arguments: Any, studio: RequestStudio) -> Plan:
        if not request.endpoint.reads_files:
            return request.endpoint.plan(arguments, studio)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, request.endpoint.plan, arguments, studio)

    def _succeeded(
        self, request: SimulatedRequest, arguments: Any, result: dict[str, Any], inference_s: float
    ) -> Answer:
        request.metrics["inference_time"] = inference_s
        units = request.endpoint.units(arguments, result, inference_s)
        return Answer(200, result, {names.BILLABLE_UNITS: units_text(units)})

    def _failed(self, request: SimulatedRequest, failure: EndpointFailure) -> Answer:
        request.metrics.setdefault("inference_time", None)
        return model_failure(failure.status_code, failure.detail)

    def _stopped(self, request: SimulatedRequest, fault: Fault) -> Answer:
        if fault.name == "requeue":
            request.faults.remove(fault)
            raise RunnerLost
        error_type = fault.text("error_type")
        request.log(f"Failed on purpose: {error_type}", "ERROR")
        if error_type in REQUEST_ERRORS:
            retryable = error_type in RETRYABLE_REQUEST_ERRORS
            return infrastructure_failure(
                REQUEST_ERRORS[error_type],
                error_type,
                f"The request failed: {error_type.replace('_', ' ')}",
                x_fal_needs_retry=str(int(retryable)),
                x_fal_retryable=str(retryable).lower(),
            )
        status_code, message, context = MODEL_ERRORS.get(error_type, (422, error_type.replace("_", " "), {}))
        retryable = status_code >= 500
        marks = {names.NEEDS_RETRY: str(int(retryable)), names.RETRYABLE: str(retryable).lower()}
        return model_failure(status_code, field_error("prompt", error_type, message, None, context), marks)


def _checked(request: SimulatedRequest) -> Any:
    if request.refusal is not None:
        raise request.refusal
    return request.endpoint.parse(request.arguments)


def _first_stop(faults: dict[str, Fault]) -> Fault | None:
    """Return the fault that ends the work before its time, the earliest where there are two."""
    stops: Iterable[Fault] = (faults[name] for name in ("fail", "requeue") if name in faults)
    return min(stops, key=lambda fault: fault.number("at"), default=None)


async def _play(request: SimulatedRequest, plan: Plan, until_s: float, duration_s: float) -> None:
    """Print the bars of a call that takes `duration_s`, for its first `until_s` seconds."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    for line in plan.opening:
        request.log(line)
    if plan.steps:
        request.log(bar_line(0, plan.steps, 0.0), "STDERR")
        step_s = duration_s / (plan.steps + 1)
        for step in printed_steps(plan.steps, step_s):
            if step * step_s > until_s:
                break
            await _sleep_until(started + step * step_s)
            request.log(bar_line(step, plan.steps, loop.time() - started), "STDERR")
    await _sleep_until(started + until_s)


async def _sleep_until(when: float) -> None:
    left = when - asyncio.get_running_loop().time()
    if left > 0:
        await asyncio.sleep(left)
