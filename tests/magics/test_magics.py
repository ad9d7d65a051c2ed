"""The magics in a real IPython shell, against the simulator over real sockets."""

import re
import threading
import time

import pytest

from fal_nb.workbench import current

SCHNELL = "fal-ai/flux/schnell"


def test_run_returns_a_result_that_code_can_use(run, shell):
    _, done = run(f'picture = %fal run {SCHNELL} prompt="a red fox" seed=3 image_size=square')
    assert done.success
    assert shell.user_ns["picture"]["seed"] == 3
    assert shell.user_ns["picture"].files[0].pil().size == (512, 512)


def test_the_result_is_the_cells_value_but_is_not_shown_twice(run, shell):
    printed, done = run(f"%fal run {SCHNELL} prompt=fox")
    assert done.result["prompt"] == "fox"
    assert shell.user_ns["_"]["prompt"] == "fox"
    assert printed.count("done") == 1


def test_a_result_that_cannot_be_asked_for_ends_with_one_line_and_nothing_is_lost(run, simulator, monkeypatch):
    for name in ("engine.job.PATIENCE_S", "engine.patience._FIRST_S", "protocol.retry._BASE_S"):
        monkeypatch.setattr(f"fal_nb.{name}", 0.01)
    simulator.fault("reset", on="result")
    run(f"%fal submit {SCHNELL} prompt=outage seed=8")
    printed, done = run("%fal result")
    assert not done.success
    (line,) = [line for line in printed.splitlines() if line.startswith("TransferError")]
    assert "goes on at fal and is asked about again" in line
    assert "%fal result #" in line
    simulator.clear_faults()
    assert run("%fal result")[1].result["seed"] == 8


def test_a_silenced_line_returns_nothing(run):
    _, done = run(f"%fal run {SCHNELL} prompt=fox;")
    assert done.result is None


def test_a_cells_body_is_the_prompt_with_the_notebooks_variables(run, shell):
    run("animal = 'heron'")
    _, done = run(f"%%fal run {SCHNELL} seed=1\nA {{animal}} with {{{{braces}}}},\n  # and a hash, 100 % paper")
    assert done.result["prompt"] == "A heron with {braces},\n  # and a hash, 100 % paper"


def test_json_and_yaml_bodies_are_arguments(run):
    _, done = run(f'%%fal run {SCHNELL} --json\n{{"prompt": "j", "image_size": {{"width": 256, "height": 128}}}}')
    assert (done.result["images"][0]["width"], done.result["images"][0]["height"]) == (256, 128)
    _, done = run(f"%%fal run {SCHNELL} --yaml\nprompt: y\nseed: 5")
    assert (done.result["prompt"], done.result["seed"]) == ("y", 5)


def test_variables_options_and_files_reach_where_they_belong(run, shell, tmp_path):
    run(f"source = %fal run {SCHNELL} prompt=source image_size=square --to '{tmp_path}/out/{{seed}}.png' seed=9")
    assert (tmp_path / "out" / "9.png").is_file()
    endpoint = "fal-ai/flux/dev/image-to-image"
    _, done = run(f"%fal run {endpoint} prompt=x image_url=@'{tmp_path}/out/9.png' -o kept")
    assert done.result.files[0].pil().size == (512, 512)
    assert shell.user_ns["kept"] is done.result
    _, done = run(f"%fal run {endpoint} prompt=x image_url={{source}}")
    assert done.success


def test_submit_returns_a_job_and_wait_collects_it(run, shell, simulator):
    simulator.fault("long", seconds=0.5, times=1)
    _, _done = run(f"job = %fal submit {SCHNELL} prompt=later")
    job = shell.user_ns["job"]
    assert not job.done
    run("%fal wait --all")
    assert job.done
    assert job.result()["prompt"] == "later"


def test_status_result_logs_and_cancel_take_the_last_job_a_number_or_an_id(run, shell):
    run(f"job = %fal submit {SCHNELL} prompt=named")
    job = shell.user_ns["job"].wait()
    for word in ("", f" {job.record_id}", f" #{job.record_id}", f" {job.request_id}"):
        _, done = run(f"%fal result{word}")
        assert done.result["prompt"] == "named"
        _, done = run(f"%fal status{word}")
        assert done.result is job
    printed, _ = run("%fal logs")
    assert "4/4" in printed
    printed, _ = run("%fal cancel")
    assert "ended already" in printed


def test_cancel_says_what_came_back(run, shell, simulator):
    simulator.fault("long", seconds=30, times=1)
    run(f"job = %fal submit {SCHNELL} prompt=stop")
    job = shell.user_ns["job"]
    deadline = time.monotonic() + 10
    while job.state != "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.01)
    printed, _ = run(f"%fal cancel {job.record_id}")
    assert "cancel requested" in printed


def test_jobs_lists_open_work_only(run, shell, simulator):
    assert "No job is open" in run("%fal jobs")[0]
    simulator.fault("long", seconds=30, times=1)
    run(f"job = %fal submit {SCHNELL} prompt=open")
    assert f"#{shell.user_ns['job'].record_id}" in run("%fal jobs")[0]
    shell.user_ns["job"].cancel()
    shell.user_ns["job"].wait()
    assert "No job is open" in run("%fal jobs")[0]


@pytest.mark.parametrize("empty", ["%fal history{}", "fal.history({})"])
def test_an_empty_history_says_why_it_is_empty(run, empty):
    is_magic = empty.startswith("%")
    run("import fal_nb as fal")
    printed, done = run(empty.format(""))
    assert done.result.empty
    assert "There is no call in this history yet: `%fal run ENDPOINT …`, or fal.submit, makes the first one." in printed
    run("%fal run simulator/sleep seconds=0")
    printed, _ = run(empty.format(" fox --where seconds=3" if is_magic else "words='fox', where={'seconds': 3}"))
    assert "The one call in this history does not pass: words, seconds." in printed
    printed, done = run(empty.format(""))
    assert not done.result.empty
    assert "call" not in printed.partition("Out[")[0]


def test_history_is_a_frame_that_survives_the_session(run, shell):
    run(f"%fal run {SCHNELL} prompt=first seed=1")
    run(f"%fal run {SCHNELL} prompt=second seed=2")
    current().close()
    current.forget()
    _, done = run("%fal history")
    assert list(done.result["prompt"]) == ["first", "second"]
    assert list(done.result["seed"]) == [1, 2]
    _, done = run("%fal history second --limit 5")
    assert list(done.result["prompt"]) == ["second"]


def test_config_says_where_calls_go_and_never_shows_the_key(run, shell, monkeypatch):
    monkeypatch.setenv("FAL_KEY", "canary-id:canary-secret")
    current().close()
    current.forget()
    printed, _ = run("%fal config")
    assert "FAL_NB_BASE_URL is set" in printed
    assert "FAL_KEY in the environment" in printed
    assert "canary" not in printed


def test_config_says_that_a_key_was_set_after_the_simulator_began_to_serve(run, monkeypatch, simulator, tmp_path):
    current().close()
    current.forget()
    monkeypatch.delenv("FAL_NB_BASE_URL")
    monkeypatch.delenv("FAL_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fal_nb.simulator.process.ensure_running", lambda _home: simulator.base_url)
    monkeypatch.setattr("fal_nb.simulator.process.is_alive", lambda *_: True)
    assert "since then" not in run("%fal config")[0]
    monkeypatch.setenv("FAL_KEY", "canary-id:canary-secret")
    printed, _ = run("%fal config")
    assert "a key was found (FAL_KEY in the environment): the first call after fal_nb.close() takes it up" in printed
    assert "canary" not in printed


def test_help_needs_no_web_page(run):
    assert "%fal run" in run("%fal help")[0] or "run" in run("%fal help")[0]
    assert "--timeout SECONDS" in run("%fal help run")[0]


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (f"%fal rnu {SCHNELL}", "did you mean run"),
        ("%fal run flux prompt=x", "owner/alias"),
        ("%fal run fal-ai/nope prompt=x", "fal knows no endpoint fal-ai/nope: nothing was sent."),
        (f"%fal run {SCHNELL}", "prompt"),
        (f"%%fal run {SCHNELL} --json\n{{broken", "never closed"),
        (f"%fal run {SCHNELL} prompt=x image_url=@nowhere.png", "nowhere.png"),
        (f'%fal run {SCHNELL} prompt="never closed', "never closed"),
        ("%fal status 4711", "4711"),
        (f"%fal run {SCHNELL} prompt={{missing}}", "missing"),
        (f"%fal run {SCHNELL} prompt=a prompt=b", "prompt"),
    ],
)
def test_bad_input_gets_one_line_without_a_traceback_and_the_kernel_goes_on(run, cell, says):
    printed, done = run(cell)
    assert not done.success
    assert says in printed
    assert "Traceback" not in printed
    assert run(f"%fal run {SCHNELL} prompt=fine")[1].success


def test_a_wrong_key_is_said_to_be_wrong(run, shell, monkeypatch):
    monkeypatch.setenv("FAL_KEY", "wrong:key")
    current().close()
    current.forget()
    printed, done = run(f"%fal run {SCHNELL} prompt=x")
    assert not done.success
    assert "AuthenticationError" in printed
    assert "wrong:key" not in printed


def test_tb_shows_the_rest(run):
    run(f"%fal run {SCHNELL} num_images=99 prompt=x")
    printed, _ = run("%tb")
    assert "Traceback" in printed


def test_stop_during_run_ends_the_cell_with_one_line(run, shell, simulator):
    import os
    import signal

    simulator.fault("long", seconds=30, times=1)

    def press_stop():
        deadline = time.monotonic() + 20
        session = current().session
        while not any(job.request_id for job in session.jobs()) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press_stop, daemon=True).start()
    printed, done = run(f"%fal run {SCHNELL} prompt=stopped")
    assert not done.success
    assert "Stopped: job #" in printed
    assert "Traceback" not in printed
    assert sum(1 for entry in simulator.ledger() if entry) >= 1


def test_the_extension_can_be_unloaded_and_loaded_again(run, shell):
    run("%unload_ext fal_nb")
    assert "fal" not in shell.magics_manager.magics["line"]
    assert not run("%fal help")[1].success
    run("%load_ext fal_nb")
    assert run("%fal help")[1].success


def test_reloading_keeps_jobs_and_thread(run, shell, simulator):
    simulator.fault("long", seconds=30, times=1)
    run(f"job = %fal submit {SCHNELL} prompt=kept")
    job, thread = shell.user_ns["job"], current().session.runtime
    run("%reload_ext fal_nb")
    assert current().session.runtime is thread
    assert job in current().session.jobs()
    job.cancel()


def test_loading_costs_nothing_that_is_not_used():
    import subprocess
    import sys

    heavy = (
        "pandas",
        "PIL",
        "numpy",
        "ipywidgets",
        "anywidget",
        "httpx",
        "aiohttp",
        "starlette",
        "pydantic",
        "av",
        "ruamel.yaml",
    )
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell as S; s = S(); "
        f"before = set(sys.modules); s.run_cell('%load_ext fal_nb'); "
        f"print(sorted(name for name in {heavy!r} if name in set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


def test_the_traitlet_options_are_listed_and_set(run, shell):
    run("%config FalMagics.embed_media = True")
    assert current().embed_media is True


def test_bare_values_and_the_body_follow_the_endpoints_schema(run, simulator):
    _, done = run(f"%fal run {SCHNELL} prompt=1e3 num_images=2 image_size=64x64 output_format=PNG")
    assert done.result["prompt"] == "1e3"
    assert len(done.result["images"]) == 2
    _, done = run("%%fal run fal-ai/elevenlabs/tts/turbo-v2.5\nGood morning.")
    assert done.result["audio"]["url"]
    film = "fal-ai/kling-video/v3/pro/text-to-video prompt=x generate_audio=false"
    assert run(f"%fal run {film} duration=3")[1].success
    assert run(f"%fal run {film} duration:=3")[1].success
    printed, _ = run(f"%fal run {film} duration:=3 --unchecked")
    assert "ValidationError" in printed, "unchecked, a number stays a number, and this endpoint wants a text"


def test_wrong_arguments_get_their_line_and_nothing_is_sent(run, simulator):
    accepted = len(simulator.ledger())
    printed, done = run(f"%fal run {SCHNELL} promt=fox num_images=9 image_size=squar")
    assert not done.success
    assert "ArgumentsError: fal-ai/flux/schnell: 3 arguments to mend" in printed
    assert "did you mean prompt?" in printed
    assert 'did you mean "square"?' in printed
    assert "Traceback" not in printed
    assert len(simulator.ledger()) == accepted


@pytest.mark.parametrize("subcommand", ["run", "submit"])
def test_a_pattern_that_cannot_be_filled_is_refused_before_the_call(run, simulator, subcommand):
    accepted = len(simulator.ledger())
    printed, done = run(f"%fal {subcommand} {SCHNELL} prompt=fox --to 'out/{{sed}}.{{ext}}'")
    assert not done.success
    assert "holds {sed}, and there is no such value" in printed
    assert len(simulator.ledger()) == accepted
    assert current().session.history.count() == 0


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("--timeot 3", f"%fal run {SCHNELL} prompt=fox --timeout 3"),
        ("--unchekced", f"%fal run {SCHNELL} prompt=fox --unchecked"),
        ("--start-timout=3", f"%fal run {SCHNELL} prompt=fox --start-timeout=3"),
    ],
)
def test_a_misspelt_option_is_told_from_an_input(run, line, right):
    printed, done = run(f"%fal run {SCHNELL} prompt=fox {line}")
    assert not done.success
    assert f"Write: {right}" in printed
    assert "did you mean prompt?" in run(f"%fal run {SCHNELL} --promt fox")[0]


def test_a_body_for_an_endpoint_without_a_prompt_asks_for_the_inputs_name(run):
    printed, done = run("%%fal run fal-ai/whisper\nhello")
    assert done.success is False
    assert "audio_url: required" in printed
    printed, done = run("%%fal run simulator/sleep\nhello")
    assert "say which with --body NAME" in printed


def test_memo_answers_from_the_history_and_the_card_says_so(run, simulator):
    before = len(simulator.ledger())
    run(f"%fal run {SCHNELL} prompt=memo image_size=square")
    printed, _ = run(f"%fal run {SCHNELL} prompt=memo image_size=square")
    # Its cost is there as soon as the price list has come.
    assert re.search(r"same call as #1(, 0\.003 USD)?; --memo reuses it", printed)
    printed, done = run(f"%fal run {SCHNELL} prompt=memo image_size=square --memo --tag kept")
    assert "from history: #2; nothing was sent" in printed
    assert done.result.record_id == 2
    printed, done = run(f"job = %fal submit {SCHNELL} prompt=memo image_size=square --memo")
    assert len(simulator.ledger()) == before + 2
    run("%config FalMagics.memo = 'reuse'")
    _, done = run(f"%fal run {SCHNELL} image_size=square prompt=memo")
    assert done.result.record_id == 2
    printed, done = run(f"%fal run {SCHNELL} prompt=memo image_size=square --no-memo")
    assert done.result.record_id == 3
    assert "same call" not in printed
    assert len(simulator.ledger()) == before + 3
    assert "reuse" in run("%fal config")[0]


def test_a_memo_mode_that_is_none_changes_nothing(run):
    run("%config FalMagics.memo = 'sometimes'")
    assert run("import fal_nb as fal\nprint(fal.session().memo)")[0] == "off\n"


def test_tags_notes_and_filters_find_the_record_again(run, shell):
    run(f"%fal run {SCHNELL} prompt=one seed=3 image_size=square --tag keeper --tag 'second one' --note 'the best'")
    run(f"%fal run {SCHNELL} prompt=two seed=9 image_size=square")
    run("import fal_nb as fal\nfal.rate(2, 4)")
    for line, expected in {
        "--tag keeper": [1],
        "--tag keeper --tag 'second one'": [1],
        "--rating >=4": [2],
        "--where seed<=3": [1],
        "--where seed!=3 image_size=square": [2],
        "best": [1],
        "--where rating=null": [1],
        "--where 'state=SUCCEEDED'": [1, 2],
    }.items():
        _, done = run(f"%fal history {line}")
        assert list(done.result.index) == expected, line
    _, done = run("fal.history(where={'seed': ('>', 3)}, words='two')")
    assert list(done.result.index) == [2]
    printed, done = run("%fal history --where sead!=3")
    assert not done.success
    assert "seed" in str(done.error_in_exec or printed)


def test_replay_makes_the_last_call_once_more(run, shell):
    run(f"first = %fal run {SCHNELL} prompt=again seed=5 image_size=square")
    _, done = run("%fal replay")
    assert done.result["seed"] == 5
    assert done.result.record_id == 2
    _, done = run("%fal replay #1;")
    assert done.result is None
    history = run("%fal history")[1].result
    assert list(history["seed"]) == [5, 5, 5]
    _, done = run("%fal replay 99")
    assert not done.success


def test_max_cost_refuses_in_one_line_before_anything_is_sent(run, simulator):
    accepted = len(simulator.ledger())
    printed, done = run(f"%fal run {SCHNELL} prompt=fox num_images=4 --max-cost 0.001")
    assert not done.success
    assert "BudgetError: fal-ai/flux/schnell would cost up to 0.012 USD" in printed
    assert len(printed.strip().splitlines()) == 1
    assert len(simulator.ledger()) == accepted
    _, done = run(f"%fal run {SCHNELL} prompt=fox --max-cost $0.5")
    assert done.success


def test_budgets_are_options_of_the_magics(run, shell):
    run("%config FalMagics.budget = 0.002")
    printed, done = run(f"%fal run {SCHNELL} prompt=fox")
    assert not done.success
    assert "left" in printed
    assert "session: 0.00 USD spent, 0.00 reserved, 0.002 left of 0.002" in run("%fal config")[0]
    run("%config FalMagics.budget = None")
    run("%config FalMagics.daily_budget = 1.5")
    assert current().session.daily_budget == 1.5
    assert "1.5" in run("%config FalMagics.daily_budget")[0]
    assert run(f"%fal run {SCHNELL} prompt=fox")[1].success
    run("%config FalMagics.daily_budget = None")
    assert current().session.daily_budget is None
    run("%config FalMagics.budget = -1")
    assert current().session.budget is None


def test_an_unpriced_call_goes_under_a_budget_where_it_is_allowed(run):
    run("%config FalMagics.budget = 1")
    printed, done = run("%fal run fal-ai/fast-sdxl prompt=fox image_size=64x64")
    assert "--allow-unpriced" in printed
    assert not done.success
    assert run("%fal run fal-ai/fast-sdxl prompt=fox image_size=64x64 --allow-unpriced")[1].success


def test_the_card_tells_what_it_cost(run):
    run(f"import fal_nb; fal_nb.price('{SCHNELL}')")
    assert "0.003 USD" in run(f"%fal run {SCHNELL} prompt=fox")[0]


def test_stream_shows_the_result_and_returns_it(run, shell, tmp_path):
    printed, done = run('%fal stream fal-ai/any-llm "Why is the sky blue?" -o answer --tag sky')
    assert done.result["output"] in printed
    assert shell.user_ns["answer"] is done.result
    record = current().session.record(None)
    assert (record.kind, record.state, record.tags) == ("stream", "SUCCEEDED", ("sky",))
    _, done = run(f"%%fal stream fal-ai/flux/dev seed=7 image_size=64x64 --to '{tmp_path}/{{seed}}.{{ext}}'\na fox")
    assert (tmp_path / "7.jpg").is_file()
    assert done.result["prompt"] == "a fox"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("fal-ai/flux/dev prompt=x --priority low", "--priority"),
        ("fal-ai/flux/dev promt=x", "prompt"),
        ("fal-ai/flux/dev prompt=x --memo", "--memo"),
    ],
)
def test_a_stream_refuses_what_it_has_no_use_for(run, simulator, line, says):
    before = len(simulator.ledger())
    printed, _ = run(f"%fal stream {line}")
    assert says in printed
    assert len(simulator.ledger()) == before


def test_an_event_loop_that_cannot_be_lent_is_refused_and_not_in_force(run, shell, caplog):
    run("%config FalMagics.event_loop = 'kernel'")
    assert "needs a kernel whose cells run on an event loop" in caplog.text
    assert run("%config FalMagics.event_loop")[1].result == "thread"
