"""Job cards as a person sees them in JupyterLab and Notebook 7, while the kernel lives."""

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.both_stacks
@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
@pytest.mark.parametrize("simulator", [{"speed": 1.0}], indirect=True)
def test_run_shows_a_queue_position_then_a_bar_that_advances_with_log_lines_then_the_picture(
    open_notebook, simulator, theme
):
    mode = theme.split()[-1].lower()
    simulator.set_runners(0)
    notebook = open_notebook(
        f"run_{mode}.ipynb",
        [
            "first, second = [fal_nb.submit('fal-ai/flux/schnell', {'prompt': word}) for word in ('one', 'two')]",
            '%fal run fal-ai/flux/dev prompt="a red fox"',
        ],
    )
    notebook.theme(theme)
    notebook.run(1)
    notebook.until(lambda: len(simulator.ledger()) == 2)
    notebook.start(2)
    words = notebook.card(2).locator(".fal-nb-words")
    notebook.until(lambda: words.inner_text() == "position 3 in the queue")
    notebook.shot(f"run_{mode}_1_queued")

    simulator.set_runners(1)
    notebook.until(lambda: words.inner_text() == "position 1 in the queue", interval_s=0.005)
    notebook.state("RUNNING", 2)
    bar = notebook.card(2).locator(".fal-nb-bar[data-bar=known]")
    line = notebook.card(2).locator(".fal-nb-last")
    seen = []

    def read():
        if notebook.is_running(2) and bar.count():
            now = (int(bar.get_attribute("aria-valuenow", timeout=1000) or 0), line.inner_text())
            if not seen or seen[-1] != now:
                seen.append(now)
        return len(seen) >= 4

    notebook.until(read)
    notebook.shot(f"run_{mode}_2_running")
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert shares[-1] > shares[0]
    assert len({text for _, text in seen}) > 1
    assert all("%" in text for _, text in seen)

    assert notebook.original(2) == (1024, 768)
    notebook.idle()
    notebook.shot(f"run_{mode}_3_picture")
    assert notebook.card(2).locator(".fal-nb-bar").count() == 0
    assert simulator.requests(notebook.request_id(2)) == {"submit": 1, "status_stream": 1, "result": 1}


@pytest.mark.both_stacks
def test_submit_returns_at_once_and_its_card_goes_on_while_another_cell_sleeps_and_after_all_have_ended(
    open_notebook, simulator
):
    simulator.set_runners(0)
    simulator.fault("long", seconds=9, times=1)
    notebook = open_notebook("submit.ipynb", ["%%fal submit fal-ai/flux/dev\na red fox", "time.sleep(5)"])
    notebook.run(1)
    notebook.state("QUEUED", 1)

    notebook.start(2)
    notebook.until(lambda: notebook.is_running(2))
    simulator.set_runners(1)
    bar = notebook.card(1).locator(".fal-nb-bar[data-bar=known]")
    shares = {True: [], False: []}

    def read():
        share = bar.evaluate_all("(all) => all[0]?.ariaValueNow ?? all[0]?.getAttribute('aria-valuenow')")
        if share is not None:
            seen = shares[notebook.is_running(2)]
            seen.append(int(share))
        return len(set(shares[False])) >= 3

    notebook.until(read)
    assert len(set(shares[True])) >= 3
    assert shares[True] + shares[False] == sorted(shares[True] + shares[False])
    assert notebook.is_idle()
    assert notebook.original(1) == (1024, 768)
    notebook.state("SUCCEEDED", 1)


@pytest.mark.both_stacks
def test_every_view_of_one_job_is_live_a_new_view_of_the_output_and_a_copied_cell_too(open_notebook, simulator):
    simulator.set_runners(0)
    notebook = open_notebook("views.ipynb", ["%%fal submit fal-ai/flux/schnell\na red fox", "pass"])
    notebook.run(1)
    notebook.state("QUEUED", 1)
    notebook.select(1)
    notebook.command("notebook:copy-cell")
    notebook.command("notebook:paste-cell-below")
    notebook.state("QUEUED", 2)
    notebook.select(1)
    notebook.command("notebook:create-output-view")
    cards = notebook.page.locator(".fal-nb-card")
    view = notebook.page.locator(".jp-LinkedOutputView .fal-nb-card")
    view.wait_for()
    assert cards.count() == 3

    simulator.set_runners(1)
    done = notebook.page.locator('.fal-nb-card .fal-nb-state[data-state="SUCCEEDED"]')
    notebook.until(lambda: done.count() == 3)
    picture = view.locator("img.fal-nb-original")
    picture.scroll_into_view_if_needed()
    notebook.until(lambda: picture.evaluate("(e) => e.complete && e.naturalWidth === 1024"))
    assert simulator.counters()["submit"] == 1


@pytest.mark.both_stacks
def test_a_cards_widget_shows_and_updates_inside_a_vbox(open_notebook, simulator):
    simulator.set_runners(0)
    notebook = open_notebook(
        "widget.ipynb",
        [
            "from ipywidgets import Label, VBox; job = fal_nb.submit('fal-ai/flux/dev', {'prompt': 'a red fox'})",
            "VBox([Label('above'), fal_nb.card(job).widget])",
        ],
    )
    notebook.run(1, 2)
    assert notebook.cell(2).locator(".widget-vbox .fal-nb-card").count() == 1
    notebook.state("QUEUED", 2)
    simulator.set_runners(1)
    notebook.state("RUNNING", 2)
    assert notebook.original(2) == (1024, 768)
    notebook.state("SUCCEEDED", 2)


HOSTILE = """"><img src=x onerror="window.hostile = 1"></div><script>window.hostile = 2</script>
<svg onload="window.hostile = 3"></svg><iframe srcdoc="<script>parent.hostile = 4</script>"></iframe>"""


# Sent unchecked, because arguments like these are refused before they go anywhere.
REFUSED = f"""
words = {HOSTILE!r}
fal_nb.session().submit('fal-ai/flux/schnell', dict.fromkeys(['prompt', 'image_size', words], words), check=False)
"""


def test_hostile_words_run_nothing_neither_live_nor_static_nor_after_reopening(open_notebook):
    notebook = open_notebook(
        "hostile.ipynb",
        [
            f"%%fal run fal-ai/flux/schnell\n{HOSTILE}",
            REFUSED,
        ],
    )

    def assert_words_only():
        for index in (1, 2):
            notebook.shows(index, '<img src=x onerror="window.hostile = 1">')
        outputs = notebook.page.locator(".jp-OutputArea-output")
        assert outputs.locator("img[src=x], script, iframe, svg[onload]").count() == 0
        assert notebook.page.evaluate("() => window.hostile") is None

    notebook.run(1, 2)
    notebook.state("SUCCEEDED", 1)
    notebook.state("FAILED", 2)
    notebook.card(1).locator(".fal-nb-logline").click()
    assert_words_only()
    notebook.save()

    notebook.restart_kernel()
    notebook.until(lambda: notebook.page.locator(".fal-nb-card").count() == 0)
    assert_words_only()

    notebook.reopen()
    notebook.until(lambda: notebook.pictures(1))
    assert_words_only()


def test_notebook_7_shows_the_picture_and_its_card_cancels_during_a_blocking_cell(
    open_notebook, simulator, start_server
):
    notebook = open_notebook(
        "seven.ipynb",
        ['%fal run fal-ai/flux/schnell prompt="a red fox"', '%fal run fal-ai/flux/dev prompt="a long wait"'],
        server=start_server("notebook"),
    )
    notebook.run(1)
    assert notebook.original(1) == (1024, 768)

    simulator.fault("long", seconds=60)
    notebook.start(2)
    request_id = notebook.request_id(2)
    notebook.state("RUNNING", 2)
    button = notebook.card(2).locator(".fal-nb-cancel")
    assert notebook.click(button, lambda: simulator.requests(request_id).get("cancel")).waited_s < 1
    notebook.state("CANCELLED", 2)
    notebook.idle()
    notebook.shot("notebook_7")
    assert simulator.counters()["cancel"] == 1


def test_a_card_copies_its_call_by_keyboard_and_nothing_below_it_moves(open_notebook, browser):
    notebook = open_notebook(
        "copied.ipynb",
        [
            "%fal run fal-ai/flux/schnell prompt='a red fox' seed=3 -o fox",
            "%fal run fal-ai/esrgan image_url={fox} scale=2",
        ],
    )
    browser.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook.run(1)
    notebook.state("SUCCEEDED", 1)
    notebook.original(1)
    card = notebook.card(1)
    height = card.bounding_box()["height"]
    toggle = card.locator(".fal-nb-copyas")
    toggle.focus()
    notebook.page.keyboard.press("Enter")
    notebook.until(lambda: card.locator(".fal-nb-forms button:first-child:focus").count() == 1)
    assert card.locator(".fal-nb-forms button").count() == 4
    assert card.bounding_box()["height"] == height
    notebook.page.keyboard.press("Tab")
    notebook.page.keyboard.press("Enter")
    notebook.until(lambda: "fal.subscribe(" in notebook.page.evaluate("navigator.clipboard.readText()"))
    assert "'a red fox'" in notebook.page.evaluate("navigator.clipboard.readText()")
    assert card.bounding_box()["height"] == height
    notebook.run(2)
    words = notebook.card(2).locator(".fal-nb-prompt")
    notebook.until(lambda: "scale: 2" in words.inner_text())
    assert "://" not in words.inner_text()
