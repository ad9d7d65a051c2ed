"""Where a key could be hidden in what the package hands out: errors with their frames, pickles, jobs."""

import json
import pickle
import traceback

import fal_nb
from fal_nb.views.card import CardView

from .canary import assert_unseen


def assert_error_unseen(error, about=""):
    """Neither its words nor anything that a verbose traceback, a debugger or a pickle shows of it."""
    chain = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    for one in chain:
        assert_unseen(f"{one} {one!r} {one.args!r} {vars(one)!r}", about)
        trace = one.__traceback__
        while trace is not None and "/tests/" in trace.tb_frame.f_code.co_filename:
            trace = trace.tb_next
        told = traceback.TracebackException(type(one), one, trace, capture_locals=True)
        assert_unseen("".join(told.format()), f"{about}: the traceback with locals")
        trace = one.__traceback__
        while trace is not None:
            for name, value in trace.tb_frame.f_locals.items():
                if "fal_nb" in trace.tb_frame.f_code.co_filename and "/tests/" not in trace.tb_frame.f_code.co_filename:
                    assert_unseen(f"{value!r} {value}", f"{about}: {name} in {trace.tb_frame.f_code.co_name}")
            trace = trace.tb_next
        with_pickle(one, about)


def with_pickle(value, about=""):
    for protocol in (2, pickle.HIGHEST_PROTOCOL):
        try:
            data = pickle.dumps(value, protocol)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not show the key
            assert_unseen(str(error), about)
        else:
            assert_unseen(data, f"{about}: pickled {type(value).__name__}")


def assert_job_unseen(job, session):
    card = CardView(job, session.artifacts.path)
    for what in (
        repr(job), str(job.snapshot), card.text(), card.twin(), json.dumps(card.state()), str(job.logs),
        str(card.mimebundle("falnb-x")), repr(vars(job)),
    ):  # fmt: skip
        assert_unseen(what, f"job {job.endpoint}")
    with_pickle(job.snapshot)
    try:
        result = job.result()
    except fal_nb.FalError as error:
        assert_error_unseen(error, job.endpoint)
        return
    assert_unseen(f"{result!r} {dict(result)} {vars(result)!r} {result.files!r}")
    with_pickle(result)
