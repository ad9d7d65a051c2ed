"""The subcommands that call an endpoint: run, submit, stream, form and canvas."""

from __future__ import annotations

from fal_nb.magics.option_groups import BODY, DRY_RUN, KEEPING, REMEMBERING, REUSING, SENDING, VARIABLE, timeout_option
from fal_nb.magics.specs import OptionSpec, SubcommandSpec

__all__ = ["CALL_SPECS"]

_CALL_USAGE = 'ENDPOINT ["TEXT"] [NAME=VALUE …] [OPTIONS]'
_CALL_DETAILS = """\
The endpoint comes first (owner/alias/path, as on fal.ai). Its inputs are NAME=VALUE, or --name VALUE; where an option
below has the name of an input, NAME=VALUE reaches the input. One quoted text after the endpoint is its prompt. With
%%fal the rest of the cell is the prompt, as written. `%fal help grammar` shows every form of a VALUE."""
_NOT_STREAMED = frozenset({"priority", "no_retry", "max_queue_length", "webhook_url"})

CALL_SPECS = (
    SubcommandSpec(
        name="run",
        words="endpoint",
        usage=_CALL_USAGE,
        takes_inputs=True,
        summary="call an endpoint, wait for it, show its outputs",
        details=f"Queues a request, shows its progress and its outputs, returns the result.\n\n{_CALL_DETAILS}",
        options=(
            OptionSpec(name="direct", field="direct", help="One synchronous call, no queue; fal cannot cancel it."),
            DRY_RUN,
            *REUSING,
            *BODY,
            timeout_option("Stop waiting after so many seconds."),
            *SENDING,
            *REMEMBERING,
            *KEEPING,
        ),
        examples=(
            '%fal run fal-ai/flux/dev prompt="a fox in {style} style" image_size.width=512 seed=7',
            "%%fal run fal-ai/flux/dev --to 'out/{seed}.{ext}' seed=7\na red fox,\nasleep under a birch",
        ),
        twin="fal.subscribe(endpoint, arguments)",
    ),
    SubcommandSpec(
        name="submit",
        words="endpoint",
        usage=_CALL_USAGE,
        takes_inputs=True,
        summary="the same without waiting: a job at once",
        details=f"Queues a request and returns a job; its card goes on by itself.\n\n{_CALL_DETAILS}",
        options=(
            DRY_RUN,
            *REUSING,
            *BODY,
            timeout_option("Give the job up after so many seconds."),
            *SENDING,
            *REMEMBERING,
            *KEEPING,
        ),
        examples=(
            'job = %fal submit fal-ai/flux/schnell "a red fox" num_images=4',
            '%%fal submit fal-ai/flux/dev/image-to-image --json\n{"prompt": "a wolf", "image_url": "https://x.org/a.png"}',
        ),
        twin="fal.submit(endpoint, arguments)",
    ),
    SubcommandSpec(
        name="stream",
        words="endpoint",
        usage=_CALL_USAGE,
        takes_inputs=True,
        summary="show partial results as they come",
        details=f"""\
Calls an endpoint that streams, shows its text as it grows and its picture as it gets better, returns the last event as
the result. fal cannot cancel a stream: stopping the cell closes it, and it may be charged.

{_CALL_DETAILS}""",
        options=(
            DRY_RUN,
            *REUSING,
            *BODY,
            timeout_option("Longest silence between two events."),
            OptionSpec(
                name="path",
                kind="text",
                metavar="PATH",
                field="path",
                help="What follows the endpoint in the stream's address (/stream).",
            ),
            *(option for option in SENDING if option.name not in _NOT_STREAMED),
            *(option for option in REMEMBERING if option.name in {"tag", "note"}),
            *KEEPING,
        ),
        examples=(
            '%fal stream fal-ai/any-llm "Why is the sky blue?"',
            "%%fal stream fal-ai/flux/dev seed=7\na red fox,\nasleep under a birch",
        ),
        twin="fal.stream(endpoint, arguments)",
    ),
    SubcommandSpec(
        name="form",
        words="endpoint",
        usage=_CALL_USAGE,
        takes_inputs=True,
        summary="fill in an endpoint's inputs, run it, write the cell",
        details="""\
Draws the endpoint's inputs from its schema, checks them as they are typed, says what the call will cost, runs it, and
writes the `%fal run` cell that makes the same call: only what differs from the defaults.

What stands on the line is filled in at first; with %%fal the rest of the cell is the prompt.""",
        options=(*BODY, VARIABLE),
        examples=("%fal form fal-ai/flux/dev", '%fal form fal-ai/flux/dev "a red fox" seed=7 -o form'),
        twin="fal.form(endpoint, arguments)",
    ),
    SubcommandSpec(
        name="canvas",
        words="endpoint",
        usage=_CALL_USAGE,
        takes_inputs=True,
        summary="draw and turn knobs over a realtime endpoint, frames come back as you do",
        details="""\
Draws what a realtime endpoint takes: its inputs, and an area to draw on where one of them is a picture. Each change
goes to the endpoint at once, the newest wins; its frames are shown beside it, and any of them is pinned into the
history with one click. What stands on the line is filled in at first; a picture on it is what one draws on.

It connects with the first change and disconnects when it is idle, stopped or no longer seen: realtime is
billed by time.""",
        options=(
            OptionSpec(
                name="in_flight",
                field="in_flight",
                kind="count",
                metavar="N",
                help="Inputs that may be on their way at one time (2).",
            ),
            OptionSpec(
                name="idle",
                field="idle_s",
                kind="seconds",
                metavar="SECONDS",
                help="Disconnect after this long without an input (45).",
            ),
            OptionSpec(
                name="allow_unpriced",
                field="allow_unpriced",
                help="Connect under a budget although nobody knows what a session will cost.",
            ),
            *BODY,
            VARIABLE,
        ),
        examples=(
            "%fal canvas fal-ai/lcm-sd15-i2i 'an island near sea, oil painting'",
            "%fal canvas fal-ai/fast-lcm-diffusion 'a harbour at dusk' --idle 120 -o canvas",
        ),
        twin="fal.canvas(endpoint, arguments)",
    ),
)
