"""The subcommands about calls that were made: where they are, what they returned, how they end."""

from __future__ import annotations

from fal_nb.magics.option_groups import LIMIT, timeout_option
from fal_nb.magics.specs import OptionSpec, SubcommandSpec

__all__ = ["JOB_SPECS", "REPLAY"]

_JOB_DETAILS = """\
JOB is a job's number as its card shows it (12 or #12) or fal's request id; without one it is the last job."""


def _about_a_job(name: str, summary: str, what: str) -> SubcommandSpec:
    return SubcommandSpec(
        name=name,
        words="job",
        usage="[JOB]",
        summary=summary,
        details=f"{what}\n\n{_JOB_DETAILS}",
        examples=(f"%fal {name}", f"%fal {name} #12"),
        twin=f"fal.{name}(job)",
    )


JOB_SPECS = (
    _about_a_job("status", "where a job is", "Returns the state of a job: queue position, progress, last log lines."),
    _about_a_job(
        "result",
        "what a job returned",
        "Returns the result of a job and shows its outputs; waits if need be, half a minute for a fal out of reach.",
    ),
    _about_a_job("logs", "what an endpoint printed", "Prints the log lines of a job."),
    _about_a_job("cancel", "ask fal to stop a job", "Asks fal to stop a job and says what it answered."),
    SubcommandSpec(
        name="wait",
        words="jobs",
        usage="[JOB …] [OPTIONS]",
        summary="block until jobs have ended",
        details="""\
Waits until the jobs have ended, whichever way. JOB is a job's number (12 or #12) or fal's request id; without one
every open job of this notebook is meant, but for realtime sessions, which end when they are closed.""",
        options=(
            OptionSpec(name="all", field="all_open", help="Every open job of this notebook, as without a JOB."),
            timeout_option("Stop waiting after so many seconds; the jobs go on."),
        ),
        examples=("%fal wait", "%fal wait #12 #13 --timeout 60"),
        twin="fal.wait(jobs)",
    ),
    SubcommandSpec(
        name="jobs",
        usage="[OPTIONS]",
        summary="all open work, of every kernel",
        details="""\
Shows the jobs that have not ended, each with its card: this notebook's, and those that other kernels follow. Jobs that
nobody follows any more, because their kernel ended, are counted; `%fal resume` carries them on.""",
        options=(LIMIT,),
        examples=("%fal jobs", "%fal jobs --limit 20"),
        twin="fal.jobs()",
    ),
    SubcommandSpec(
        name="resume",
        summary="carry on what an earlier kernel left open",
        details="""\
Carries on with every open call that no living kernel follows, each with its card: requests that fal accepted are
followed, results that were had get their files, calls that never left are sent. A call that was on its way when its
kernel ended may or may not have arrived: it becomes unknown and is not sent again.""",
        examples=("%fal resume", "resumed = %fal resume"),
        twin="fal.resume()",
    ),
    SubcommandSpec(
        name="attach",
        words="search",
        usage="ENDPOINT REQUEST_ID",
        summary="follow a request that was made elsewhere",
        details="Follows a request by its id, with a card and a record of its own; nothing is sent again.",
        examples=(
            "%fal attach fal-ai/flux/dev 764cabcf-b745-4b3e-ae38-1200304cf45b",
            "job = %fal attach fal-ai/flux/dev 764cabcf-b745-4b3e-ae38-1200304cf45b",
        ),
        twin="fal.attach(endpoint, request_id)",
    ),
    SubcommandSpec(
        name="reconcile",
        words="choices",
        usage="[JOB=REQUEST_ID …] | --send-again JOB [--yes]",
        summary="settle calls whose answer was lost",
        details="""\
Reads the account's list of ended requests and settles the UNKNOWN calls it names: nothing is sent. Where several
requests can be meant they are shown, and #12=REQUEST_ID chooses. What is not listed stays UNKNOWN: only requests that
have ended are listed, and their arguments only where the account stores payloads.""",
        options=(
            OptionSpec(
                name="send_again",
                kind="job",
                metavar="JOB",
                field="send_again",
                help="Send this lost call once more, as a new job. Asks first: it may pay twice.",
            ),
            OptionSpec(name="yes", field="yes", help="Send it without asking."),
        ),
        examples=("%fal reconcile", "%fal reconcile #12=764cabcf-b745-4b3e-ae38-1200304cf45b"),
        twin="fal.reconcile({12: request_id}), fal.send_again(12)",
    ),
)

REPLAY = SubcommandSpec(
    name="replay",
    words="job",
    usage="[JOB] [OPTIONS]",
    summary="make an earlier call once more, byte for byte",
    details=f"""\
Sends what was sent then, waits for it and shows it; the new record names the old one. Inputs whose URLs are gone are
uploaded again, only those; a schema that has changed since is told of in one line.

{_JOB_DETAILS}""",
    options=(OptionSpec(name="yes", field="yes", help="Send also what came from outside: a file, an import."),),
    examples=("%fal replay", "%fal replay #12"),
    twin="fal.replay(job)",
)
