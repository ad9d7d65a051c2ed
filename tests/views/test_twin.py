import html
import re
from html.parser import HTMLParser

import pytest

from fal_nb.engine.memo import EqualCall
from fal_nb.engine.partial import Partial
from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.views.twin import artifacts_html, card_html, frame_html, text_html

HOSTILE = "<img src=x onerror=alert(1)>\"'`</div><script>alert(1)</script>&{{}}"
KEPT_BY_LAB = {"div", "span", "b", "progress", "figure", "figcaption", "img", "video", "audio"}


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        self.text += data


def snapshot(**changes):
    known = {
        "record_id": 12,
        "endpoint": "fal-ai/flux/dev",
        "backend": "fal",
        "kind": "queue",
        "state": "RUNNING",
        "arguments": {"prompt": "a red fox"},
        "created": 1000.0,
    }
    return JobSnapshot(**(known | changes))


@pytest.mark.parametrize(
    "state", ["PREPARED", "SUBMITTING", "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "UNKNOWN", "SKIPPED"]
)
def test_every_state_names_itself_the_endpoint_and_the_record(state):
    text = Tags(card_html(snapshot(state=state))).text
    assert "fal-ai/flux/dev" in text
    assert "#12" in text
    assert "a red fox" in text


def test_an_equal_call_is_named_in_one_quiet_line():
    known = card_html(snapshot(equal=EqualCall(7, 0.03, "USD")))
    assert "same call as #7, 0.03 USD; --memo reuses it" in Tags(known).text
    assert "same call as #7; --memo reuses it" in Tags(card_html(snapshot(equal=EqualCall(7)))).text
    assert "script" not in Tags(card_html(snapshot(equal=EqualCall(7, 1.0, HOSTILE)))).tags
    assert "same call" not in card_html(snapshot())


def test_a_job_from_the_history_says_that_nothing_was_sent_and_shows_no_cost_of_its_own():
    equal = EqualCall(12, 0.03, "USD", is_answer=True)
    text = Tags(card_html(snapshot(state="SUCCEEDED", cost=0.03, estimate=0.05, currency="USD", equal=equal))).text
    assert "from history: #12; nothing was sent, it cost 0.03 USD then" in text
    assert text.count("USD") == 1


def test_hostile_text_stays_text_in_every_field(make_artifact):
    job = snapshot(
        endpoint=HOSTILE, arguments={"prompt": HOSTILE}, logs=(HOSTILE,), log_count=1, error=HOSTILE, error_type=HOSTILE,
        next_step=HOSTILE, cancel=HOSTILE, currency=HOSTILE, cost=1.0, result={"text": HOSTILE}, progress=0.5,
        artifacts=(make_artifact(file_name=HOSTILE, error=HOSTILE), make_artifact(file_name=HOSTILE, error=HOSTILE, thumbnail=None, text=HOSTILE)),
    )  # fmt: skip
    page = Tags(frame_html(card_html(job), f"id-{HOSTILE}", HOSTILE))
    assert set(page.tags) <= KEPT_BY_LAB
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.text.count(HOSTILE) >= 8


def test_only_inline_styles_and_data_uris_are_used(make_artifact):
    text = card_html(snapshot(state="SUCCEEDED", artifacts=(make_artifact(), make_artifact(kind="video"))))
    page = Tags(text)
    assert {"style", "svg", "script", "link"}.isdisjoint(page.tags)
    assert all(value.startswith("data:image/webp;base64,") for tag, name, value in page.attributes if name == "src")
    assert "http" not in re.sub(r"data:[^\"]*", "", text)


def test_the_progress_of_a_running_job_is_a_bar_with_its_steps_in_words():
    page = Tags(card_html(snapshot(progress=0.5, steps=(14, 28), logs=("50%|",), log_count=14)))
    assert ("progress", "value", "0.500") in page.attributes
    assert "step 14 of 28" in page.text
    assert "50%|" in page.text


def test_the_place_in_the_queue_is_said():
    assert "position 4 in the queue" in card_html(snapshot(state="QUEUED", queue_position=3))
    assert "position 1 in the queue" in card_html(snapshot(state="QUEUED", queue_position=0))


@pytest.mark.parametrize("state", ["PREPARED", "SUBMITTING", "QUEUED", "RUNNING"])
def test_what_is_not_at_its_end_says_when_it_was_so(state):
    assert re.search(
        r"as of [0-2][0-9]:[0-5][0-9]; %fal status #\d+ tells how it is now",
        Tags(card_html(snapshot(state=state))).text,
    )
    assert "as of" not in card_html(snapshot(state="SUCCEEDED"))


def test_a_lost_answer_is_explained():
    assert "may have been charged" in html.unescape(card_html(snapshot(state="UNKNOWN")))


def test_simulated_output_is_labelled():
    assert "simulated" in card_html(snapshot(backend="simulator"))
    assert "simulated" not in card_html(snapshot(backend="fal"))


def test_long_texts_are_cut():
    assert len(text_html("x" * 10_000)) < 2_300
    assert len(card_html(snapshot(arguments={"prompt": "x" * 100_000}))) < 4_000


def test_a_file_without_a_thumbnail_is_named_with_the_reason(make_artifact):
    text = Tags(artifacts_html([make_artifact(thumbnail=None, error="it was gone", size_bytes=2_000_000)])).text
    assert text == "y.png · 2.0 MB — it was gone"


@pytest.mark.parametrize(
    ("kind", "content_type", "tag"),
    [("video", "video/mp4", "video"), ("audio", "audio/mpeg", "audio"), ("image", "image/jpeg", "img")],
)
def test_exports_hold_the_media_themselves(tmp_path, make_artifact, kind, content_type, tag):
    path = tmp_path / "blob"
    path.write_bytes(b"media")
    artifact = make_artifact(kind=kind, content_type=content_type)
    page = Tags(artifacts_html([artifact], "alt", lambda _digest: path))
    assert (tag, "src", f"data:{content_type};base64,bWVkaWE=") in page.attributes


@pytest.mark.parametrize("content_type", ["image/svg+xml", "text/html", "application/octet-stream"])
def test_types_that_could_run_are_never_embedded(tmp_path, make_artifact, content_type):
    path = tmp_path / "blob"
    path.write_bytes(b"<script>")
    page = Tags(artifacts_html([make_artifact(content_type=content_type)], "alt", lambda _digest: path))
    assert next(value for _, name, value in page.attributes if name == "src").startswith("data:image/webp")


def test_without_a_token_no_hub_can_find_it():
    assert " id=" not in frame_html("x", None)
    assert 'id="token-v1"' in frame_html("x", "token-v1", "card")


def test_what_a_broken_stream_had_shown_stays_in_view():
    partial = Partial(3, f"once upon {HOSTILE}")
    tags = Tags(card_html(snapshot(kind="stream", state="UNKNOWN", partial=partial)))
    assert "once upon" in tags.text
    assert "script" not in tags.tags
    assert "once upon" not in card_html(snapshot(kind="stream", state="SUCCEEDED", result={}, partial=partial))
