import datetime as dt
import os
from pathlib import Path

import pytest

from fal_nb.errors import FileError, GrammarError
from fal_nb.magics.arguments import (
    ConfigArguments,
    HelpArguments,
    HistoryArguments,
    JobArguments,
    JobsArguments,
    ReconcileArguments,
    ReplayArguments,
    RunArguments,
    SimulatorArguments,
    SubmitArguments,
    WaitArguments,
    build_arguments,
    read_arguments,
)
from fal_nb.magics.convert import option_fields
from fal_nb.magics.grammar import parse_line
from fal_nb.magics.options import SUBCOMMANDS, SWEEP_OPTIONS
from fal_nb.magics.resolve import resolve


def message_of(line, cell=None, namespace=None):
    with pytest.raises(GrammarError) as caught:
        build_arguments(read_arguments(line, cell, namespace or {}), namespace or {})
    return str(caught.value)


def test_run_takes_every_option_of_its_table():
    line = (
        "run a/b --direct --timeout 30 --start-timeout 2.5s --priority LOW --hint 'x y' --to 'out/{seed}.png' "
        "-o pic --body text ;"
    )
    run = read_arguments(line, "a red fox")
    assert isinstance(run, RunArguments)
    assert (run.endpoint, run.direct, run.timeout_s, run.start_timeout_s) == ("a/b", True, 30.0, 2.5)
    assert (run.priority, run.hint, run.to, run.var) == ("low", "x y", "out/{seed}.png", "pic")
    assert (run.text_input, run.body, run.body_mode, run.silenced) == ("text", "a red fox", "text", True)


def test_the_options_of_the_service_are_read():
    call = read_arguments(
        "submit a/b --lifecycle 90 --store-io no --no-retry --disable-fallback --fal-tags 'team=a b, run.id=7' "
        "--max-queue-length 0 --webhook-url https://x.org/?a=1"
    )
    assert (call.lifecycle, call.store_io, call.no_retry, call.disable_fallback) == (90, "no", True, True)
    assert (call.fal_tags, call.max_queue_length) == ({"team": "a b", "run.id": "7"}, 0)
    assert call.webhook_url == "https://x.org/?a=1"
    assert read_arguments("run a/b --fal-tags=team=a lifecycle=x").fal_tags == {"team": "a"}


def test_without_options_nothing_is_set():
    assert read_arguments("run a/b") == RunArguments(endpoint="a/b", line="run a/b", magic="%fal")
    assert read_arguments("submit a/b/c", "") == SubmitArguments(endpoint="a/b/c", line="submit a/b/c", magic="%%fal")


@pytest.mark.parametrize("subcommand", ["status", "result", "logs", "cancel"])
def test_a_job_is_a_number_a_request_id_or_the_last_one(subcommand):
    assert read_arguments(subcommand) == JobArguments(subcommand=subcommand)
    assert read_arguments(f"{subcommand} #12;") == JobArguments(subcommand=subcommand, job=12, silenced=True)
    assert read_arguments(f"{subcommand} 12").job == 12
    assert read_arguments(f"{subcommand} 764cabcf-b745").job == "764cabcf-b745"
    assert read_arguments(f"{subcommand} 1234567890123456789").job == "1234567890123456789"


def test_the_other_subcommands_have_their_own_class():
    assert read_arguments("wait 1 #2 abc --timeout 5") == WaitArguments(jobs=(1, 2, "abc"), timeout_s=5.0)
    assert read_arguments("wait --all") == WaitArguments(all_open=True)
    assert read_arguments("jobs --limit 3") == JobsArguments(limit=3)
    assert read_arguments("reconcile") == ReconcileArguments()
    assert read_arguments("reconcile --send-again #12 --yes;") == ReconcileArguments(
        send_again=12, yes=True, silenced=True
    )
    assert read_arguments("config") == ConfigArguments()
    assert read_arguments("simulator") == SimulatorArguments(action="status")
    assert read_arguments("simulator stop") == SimulatorArguments(action="stop")
    assert read_arguments("help") == HelpArguments()
    assert read_arguments("help run") == HelpArguments(topic="run")


def test_reconcile_takes_choices_with_and_without_a_hash():
    command = read_arguments("reconcile #12=abc-1 13=def #14={chosen} # the rest later", namespace={"chosen": "ghi"})
    assert command.choices == ((12, "abc-1"), (13, "def"), (14, "ghi"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("reconcile 12", "column 16: '12' is no choice"),
        ("reconcile #12", "column 16: '#12' is no choice"),
        ("reconcile a=b", "column 16: reconcile takes no name=value"),
        ("reconcile #12=<b>", "column 16: '#12=<b>' is no choice"),
        ("reconcile #12=a #12=b", "column 22: #12 is chosen twice"),
        ("reconcile --send-again #1 #2=a", "column 32: --send-again sends one call"),
        ("reconcile --send-again /", "column 29: --send-again takes a job's number"),
        ("reconcile --send-again", "column 16: --send-again needs a value"),
    ],
)
def test_a_mistake_in_reconcile_gets_its_column(line, message):
    with pytest.raises(GrammarError) as caught:
        read_arguments(line)
    assert message in str(caught.value)


def test_history_takes_words_and_filters():
    history = read_arguments('history fox "in snow" --endpoint a/b --state failed --since 36h --limit 5')
    assert history == HistoryArguments(
        words=("fox", "in snow"), endpoint="a/b", state="FAILED", since=dt.timedelta(hours=36), limit=5
    )


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("30s", dt.timedelta(seconds=30)),
        ("5m", dt.timedelta(minutes=5)),
        ("7d", dt.timedelta(days=7)),
        ("2w", dt.timedelta(weeks=2)),
        ("2026-01-31T12:00+01:00", dt.datetime(2026, 1, 31, 11, tzinfo=dt.UTC)),
        ("2026-01-31", dt.datetime(2026, 1, 31).astimezone()),
    ],
)
def test_since_is_an_age_or_a_moment_with_its_time_zone(text, since):
    read = read_arguments(f"history --since {text}").since
    assert read == since
    assert not isinstance(read, dt.datetime) or read.tzinfo is not None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("run a/b --timeout 0", "column 24: --timeout takes a number of seconds above 0, not '0'."),
        ("run a/b --timeout nan", "column 24: --timeout takes a number of seconds above 0, not 'nan'."),
        ("run a/b --timeout=-1", "column 24: --timeout takes a number of seconds above 0, not '-1'."),
        ("run a/b --priority lo", ("column 25: --priority takes normal or low, not 'lo'. "
                                  "Write: %fal run a/b --priority low")),
        ("run a/b -o 1x", "column 17: -o takes the name of a Python variable, not '1x'."),
        ("run a/b -o class", "column 17: -o takes the name of a Python variable, not 'class'."),
        ("run a/b -o _", "column 17: -o takes the name of a Python variable, not '_'."),
        ("run a/b --to ''", "column 19: --to takes a text, not ''."),
        ('run a/b "x" --body 1', "column 25: --body takes the name of an input, not '1'."),
        ("run a/b --lifecycle 2h", ("column 26: --lifecycle takes never, immediate, 1h, 1d, 7d, 30d, 1y "
                                    "or a number of seconds, not '2h'.")),
        ("run a/b --store-io 1", "column 25: --store-io takes yes or no, not '1'."),
        ("run a/b --fal-tags team", "column 25: --fal-tags takes tags as 'key=value,key=value', each key once, not 'team'."),
        ("run a/b --fal-tags 'a=1,a=2'", ("column 25: --fal-tags takes tags as 'key=value,key=value', each key once, "
                                      "not 'a=1,a=2'.")),
        ("run a/b --max-queue-length -1", "column 33: --max-queue-length takes a whole number from 0, not '-1'."),
        ("run a/b --webhook-url x.org", "column 28: --webhook-url takes an address that begins with https://, not 'x.org'."),
        ("run a/b --direct --no-retry", ("column 23: --no-retry is for the queue, and --direct has none. "
                                         "Write: %fal run a/b --direct")),
        ("jobs --limit 0", "column 19: --limit takes a whole number from 1, not '0'."),
        ("jobs --limit 1.5", "column 19: --limit takes a whole number from 1, not '1.5'."),
        ("history --since 7x", "column 22: --since takes an age (30m, 12h, 7d, 2w) or a date (2026-01-31), not '7x'."),
        ("wait 12 --all", "column 11: --all means every open job: name none beside it."),
        ("run a/b --json", "column 14: --json speaks of the cell below %%fal, and there is none."),
        ("run a/b --body text", "column 14: --body names the input of a text, and there is none. Write: %fal run a/b"),
    ],
)  # fmt: skip
def test_a_wrong_option_gets_exactly_this_line(line, message):
    assert message_of(line) == message


@pytest.mark.parametrize(
    ("line", "cell", "message"),
    [
        ("status 1", "x", "column 7: status takes no body: write it with one %, and the rest in another cell."),
        ('run a/b "x"', "y", "column 15: the cell's body is the text already, beside 'x'. Write: %%fal run a/b"),
        ("run a/b --json --yaml", "{}", "column 22: a body is --json or --yaml, not both."),
        ("run a/b --json", " \n", "column 15: --json speaks of the cell below %%fal, and there is none."),
        ("run a/b --json --body x", "{}", ("column 22: --body names the input of a text, and --json has none. "
                                          "Write: %%fal run a/b --json")),
        ("run a/b prompt=x", "y", "column 15: prompt is given twice: keep one of them."),
        ("run a/b --body a.b a=1", "y", "column 26: a is given twice: keep one of them."),
        ("run a/b a.b=1 --yaml", "a: 1", "column 15: a.b does not fit: a has a value already."),
        ("run a/b seed=1 --json", '{"seed": 2}', "column 15: seed is given twice: keep one of them."),
        ('run a/b "x" prompt=y', "", "column 19: prompt is given twice: keep one of them."),
    ],
)  # fmt: skip
def test_a_line_and_a_body_that_do_not_go_together_get_exactly_this_line(line, cell, message):
    assert message_of(line, cell) == message


@pytest.mark.parametrize("cell", ["", "\n", "  \n\t"])
def test_a_blank_body_is_no_body(cell):
    assert read_arguments("jobs", cell) == JobsArguments()
    assert build_arguments(read_arguments('run a/b "x"', cell), {}) == {"prompt": "x"}


def test_a_body_goes_to_the_prompt_or_to_the_input_named_on_the_line():
    assert build_arguments(read_arguments("run a/b seed=1", "  a {n}\n  b\n"), {"n": 3}) == {
        "prompt": "a 3\nb",
        "seed": 1,
    }
    assert build_arguments(read_arguments("run a/b --body text", "a\n"), {}) == {"text": "a"}
    assert build_arguments(read_arguments('run a/b "a" --body x.y'), {}) == {"x": {"y": "a"}}


def test_the_schema_may_name_another_input_for_the_text():
    assert build_arguments(read_arguments('run a/b "a"'), {}, text_input="text") == {"text": "a"}
    assert build_arguments(read_arguments('run a/b "a" --body x'), {}, text_input="text") == {"x": "a"}


def test_a_json_or_yaml_body_and_the_line_make_one_set_of_arguments():
    call = read_arguments("submit a/b --json size.height=2 seed=1", '{"size": {"width": 1}, "p": "{n}"}')
    assert build_arguments(call, {"n": 3}) == {"size": {"width": 1, "height": 2}, "p": "{n}", "seed": 1}
    call = read_arguments("submit a/b --yaml seed=1", "p: a {n}\nq: [1, x]\n")
    assert build_arguments(call, {"n": 3}) == {"p": "a 3", "q": [1, "x"], "seed": 1}


def test_building_twice_gives_equal_but_separate_arguments():
    call = read_arguments("run a/b tags=[[1]] --json", '{"x": {"y": [1]}}')
    first, second = build_arguments(call, {}), build_arguments(call, {})
    first["tags"][0].append(2)
    first["x"]["y"].append(2)
    assert second == {"x": {"y": [1]}, "tags": [[1]]}


def test_bare_values_go_through_coercion_with_their_dotted_name_and_texts_do_not():
    seen = []

    def coerce(name, text):
        seen.append((name, text))
        return f"<{text}>"

    call = read_arguments('run a/b size.w=5 --num-images 4 seed="7" t:=true on=x{n} --flag')
    assert build_arguments(call, {"n": 1}, coerce) == {
        "size": {"w": "<5>"},
        "num_images": "<4>",
        "seed": "7",
        "t": True,
        "on": "x1",
        "flag": True,
    }
    assert seen == [("size.w", "5"), ("num_images", "4")]


def test_what_coercion_refuses_gets_its_column():
    def coerce(name, text):
        raise GrammarError(f"{name} wants a number.")

    with pytest.raises(GrammarError, match=r"column 19: seed wants a number\.") as caught:
        build_arguments(read_arguments("run a/b seed=x"), {}, coerce)
    assert caught.value.column == 13


def test_an_error_of_coercion_that_knows_its_column_stays_as_it_is():
    def coerce(name, text):
        raise GrammarError("column 3: no.", column=2)

    with pytest.raises(GrammarError, match=r"^column 3: no\.$"):
        build_arguments(read_arguments("run a/b seed=x"), {}, coerce)


def test_without_a_schema_a_number_too_long_for_python_is_a_text():
    digits = "9" * 5000
    assert build_arguments(read_arguments(f"run a/b x={digits} y={digits[:400]}"), {}) == {
        "x": digits,
        "y": int(digits[:400]),
    }


def test_resolving_a_whole_line_leaves_words_and_our_options_out():
    assert resolve(parse_line('run a/b "x" --timeout 5 --seed 1 y=2').items, {}) == {"seed": 1, "y": 2}


def test_a_short_option_takes_its_value_either_way():
    assert read_arguments("run a/b -o=x").var == "x"
    assert read_arguments("run a/b -o x").var == "x"


def test_an_endpoint_or_a_job_may_come_from_a_variable():
    names = {"ep": "a/b", "eps": ["c/d/e"], "job": 12, "rid": "abc-1"}
    assert read_arguments("run {ep}", None, names).endpoint == "a/b"
    assert read_arguments("submit {eps[0]}", None, names).endpoint == "c/d/e"
    assert read_arguments("status {job}", None, names).job == 12
    assert read_arguments("wait {rid} {job}", None, names).jobs == ("abc-1", 12)
    assert message_of("run {app}") == (
        f"column 10: there is no variable app in the notebook; set it before, or {'for a brace itself write {{ or }}'}."
    )
    assert message_of("run {ep}", None, {"ep": "x"}).startswith("column 10: 'x' is not an endpoint id")
    assert message_of("status {ep}", None, {"ep": "a b"}) == "column 13: 'a b' is no job's number or request id."


def test_the_endpoint_is_written_in_its_plain_form():
    assert read_arguments("run a/b/").endpoint == "a/b"
    assert read_arguments('run "a/b/c" "x"').endpoint == "a/b/c"


def test_a_file_is_a_path_and_a_variable_in_brackets_the_object_itself(tmp_path):
    picture = tmp_path / "my cat.png"
    picture.write_bytes(b"x")
    image = object()
    call = read_arguments(f"run a/b a=@\"{picture}\" b={{image}} --c @'{picture}'")
    built = build_arguments(call, {"image": image})
    assert built == {"a": picture, "b": image, "c": picture}
    assert isinstance(built["a"], Path)
    assert built["b"] is image


def test_a_file_is_found_from_the_working_folder_and_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "cat.png").write_bytes(b"x")
    assert build_arguments(read_arguments("run a/b a=@cat.png b=@~/cat.png"), {}) == {
        "a": Path("cat.png"),
        "b": tmp_path / "cat.png",
    }


def test_a_file_that_is_not_there_is_named_with_the_nearest_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat.png").write_bytes(b"x")
    (tmp_path / "folder").mkdir()

    def error_of(path):
        with pytest.raises(FileError) as caught:
            build_arguments(read_arguments(f"run a/b a=@{path}"), {})
        return str(caught.value)

    assert error_of("cat.pgn") == f"There is no file cat.pgn in {tmp_path}; did you mean cat.png?"
    assert error_of("zebra.mp4") == (
        f"There is no file zebra.mp4 in {tmp_path}; give its path from there, or a whole one."
    )
    assert error_of("nowhere/x.png") == f"There is no file nowhere/x.png: there is no folder {tmp_path / 'nowhere'}."
    assert error_of("folder") == "folder is a folder: name a file in it."
    assert error_of("x" * 5000).startswith("The file xxx")
    assert error_of("'a\0b'").startswith("The")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"x")
    secret.chmod(0)
    with pytest.raises(FileError, match=r"secret\.png cannot be read: Permission denied\."):
        build_arguments(read_arguments(f"run a/b a=@{secret}"), {})


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("--where seed=3", (("seed", "=", 3),)),
        ("--where=seed=3", (("seed", "=", 3),)),
        ("--where seed=3 cost>=0.5 --limit 2", (("seed", "=", 3), ("cost", ">=", 0.5))),
        ("--where seed=3 --where a.b!=x", (("seed", "=", 3), ("a.b", "!=", "x"))),
        ('--where prompt="a red fox" "in snow"', (("prompt", "=", "a red fox"),)),
        ("""--where 'prompt!=a red fox' fox""", (("prompt", "!=", "a red fox"),)),
        ("--where mask=null flag=true text='null'", (("mask", "=", None), ("flag", "=", True), ("text", "=", "null"))),
        ('--where size={"width": 5}', (("size", "=", {"width": 5}),)),
        ("--where empty=''", (("empty", "=", ""),)),
        ("--where a==1 b<2", (("a", "=", 1), ("b", "<", 2))),
    ],
)
def test_history_takes_filters_of_any_name(text, where):
    assert read_arguments(f"history {text}").where == where


def test_words_may_follow_filters():
    read = read_arguments('history fox --where seed=3 owl "in snow" --tag a --tag "b c" --rating >=4')
    assert read.words == ("fox", "owl", "in snow")
    assert read.where == (("seed", "=", 3),)
    assert (read.tags, read.rating) == (("a", "b c"), (">=", 4))


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("history --where", "--where needs a filter"),
        ("history --where --limit 3", "--where needs a filter"),
        ("history --where seed", "NAME=VALUE"),
        ("history --where seed>", "NAME=VALUE"),
        ("history --rating 6", "from 0 to 5"),
        ("history seed=3", "Write: %fal history --where seed=3"),
        ("run a/b --memo --no-memo", "exclude each other"),
        ("run a/b --memo --memo", "given twice"),
        ("replay 1 2", "one job"),
    ],
)
def test_a_filter_or_a_choice_that_is_none_is_explained(line, part):
    with pytest.raises(GrammarError) as caught:
        read_arguments(line)
    assert part in str(caught.value)


def test_calls_take_memo_tags_and_a_note():
    read = read_arguments('run a/b "x" --memo --tag one --tag two --note "see there"')
    assert (read.memo, read.no_memo, read.tags, read.note) == (True, False, ("one", "two"), "see there")
    assert read_arguments("replay #12 --yes") == ReplayArguments(job=12, yes=True)


def test_every_option_of_the_table_has_a_field_in_its_class():
    values = {
        "text": "x", "seconds": "1", "count": "1", "amount": "1", "variable": "x", "input": "x", "since": "1d", "length": "0",
        "life": "1h", "tags": "'a=b,c=d'", "url": "https://x.org", "job": "12", "filter": "a=1", "rating": ">=4",
    }  # fmt: skip
    for spec in SUBCOMMANDS.values():
        for option in spec.options:
            is_call = spec.words == "endpoint"
            words = 'a/b "x"' if is_call and spec.takes_inputs and option.name not in {"json", "yaml"} else ""
            words = "a/b" if is_call and not words else words
            words = '"x"' if spec.name in {"docs", "recommend"} else words
            action = next((name for name, takes in SWEEP_OPTIONS.items() if option.name in takes), "show")
            words = {"plan": "", "export": "export x"}.get(action, action) if spec.takes_body else words
            value = values.get(option.kind, (option.choices or ("",))[0])
            line = f"{spec.name} {words} {option.spelling} {value}"
            is_planned = spec.takes_body and action in {"plan", "refine"}
            cell = "{}" if option.name in {"json", "yaml"} or is_planned else None
            command = read_arguments(line, cell)
            (field, converted), *others = option_fields(parse_line(line)).items()
            assert not others
            assert getattr(command, field, None) == converted or command.body_mode == field
