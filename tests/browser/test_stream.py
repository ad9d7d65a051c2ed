"""`%fal stream` as a person sees it: text that grows, a picture that gets better, both in place."""

import pytest

pytestmark = pytest.mark.browser

SLOW = [{"speed": 1.0}]


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
@pytest.mark.parametrize("simulator", SLOW, indirect=True)
def test_a_text_grows_and_a_picture_gets_better_in_place(open_notebook, simulator, theme):
    mode = theme.split()[-1].lower()
    simulator.fault("long", seconds=4, times=2)
    notebook = open_notebook(
        f"stream_{mode}.ipynb",
        [
            '%fal stream fal-ai/any-llm "Why is the sky blue?"',
            "%%fal stream fal-ai/flux/dev seed=7\na red fox, asleep under a birch",
        ],
    )
    notebook.theme(theme)
    notebook.start(1)
    reading = notebook.card(1).locator(".fal-nb-reading")
    texts = []

    def grows():
        if reading.count():
            text = reading.inner_text(timeout=1000)
            if not texts or len(text) > len(texts[-1]):
                texts.append(text)
        return len(texts) > 3

    notebook.until(grows, interval_s=0.02)
    notebook.shot(f"stream_{mode}_1_text")
    notebook.state("SUCCEEDED", 1)
    whole = reading.inner_text()
    assert all(whole.startswith(text) for text in texts)

    notebook.idle()
    notebook.start(2)
    pictures = notebook.card(2).locator(".fal-nb-tile img")
    boxes, sources = set(), set()

    def gets_better():
        if pictures.count():
            sources.add(pictures.first.get_attribute("src", timeout=1000))
            box = pictures.first.bounding_box()
            boxes.add((round(box["width"]), round(box["height"])))
        return len(sources) > 2

    notebook.until(gets_better, interval_s=0.02)
    notebook.shot(f"stream_{mode}_2_picture")
    assert notebook.original(2) == (1024, 768)
    box = pictures.last.bounding_box()
    assert boxes == {(round(box["width"]), round(box["height"]))}
    notebook.idle()
    notebook.shot(f"stream_{mode}_3_done")
