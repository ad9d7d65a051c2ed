"""Tab in real shells: what is offered where, from caches and history alone."""

import json
import socket

import pytest
from IPython.core.completer import provisionalcompleter, rectify_completions

from fal_nb.client.schema_files import SchemaFiles, kept_form
from fal_nb.magics.arguments import read_arguments
from fal_nb.magics.completion.place import find_place
from fal_nb.magics.options import SUBCOMMANDS, SWEEP_ACTIONS
from fal_nb.protocol.urls import Hosts
from fal_nb.simulator.endpoints.places import PLACES
from fal_nb.simulator.endpoints.registry import Registry
from fal_nb.simulator.openapi import openapi_document
from fal_nb.workbench import current

SCHNELL = "fal-ai/flux/schnell"
I2I = "fal-ai/flux/dev/image-to-image"


def keep_schema(home, server, endpoint, document):
    files = SchemaFiles(home / "schemas")
    files.folder.mkdir(parents=True, exist_ok=True)
    files.path(server, endpoint).write_text(json.dumps(kept_form(endpoint, 0.0, document)), "utf-8")


@pytest.fixture
def home(shell, simulator):
    """A home in which the schemas of two endpoints are kept, as earlier kernels leave them."""
    home = current().session.home
    for endpoint in Registry():
        if endpoint.endpoint_id in {SCHNELL, I2I}:
            document = openapi_document(endpoint, simulator.base_url)
            keep_schema(home, Hosts.under(simulator.base_url).schema, endpoint.endpoint_id, document)
    return home


@pytest.fixture
def offers(shell, home):
    """Return (the source with the offer put in, its kind) for a source in which ``|`` is the cursor."""

    shell.Completer.use_jedi = False

    def offered(source):
        code, cursor = source.replace("|", "", 1), source.index("|")
        with provisionalcompleter():
            found = list(rectify_completions(code, shell.Completer.completions(code, cursor)))
        return [(code[: one.start] + one.text + code[one.end :], one.type) for one in found if one._origin == "fal_nb"]

    return offered


@pytest.fixture
def texts(offers):
    return lambda source: [text for text, _ in offers(source)]


def test_every_subcommand_is_offered_and_a_part_of_one_finds_it(texts):
    assert texts("%fal |") == [f"%fal {name}" for name in SUBCOMMANDS]
    assert texts("%fal sub|")[0] == "%fal submit"
    assert texts("%%fal swe|\nprompt: x")[0] == "%%fal sweep\nprompt: x"


def test_endpoints_are_found_by_any_part_of_their_name_wherever_a_magic_stands(texts):
    for start in ("%fal", "%%fal", "x = %fal", "  %fal", "a, b = %fal", "%time %fal", "%%time\n%fal"):
        assert f"{start} run {SCHNELL}" in texts(f"{start} run schn|")


def test_endpoints_that_were_called_come_first(texts, run):
    assert set(PLACES) <= {text.split()[-1] for text in texts("%fal submit |")}
    run(f"%fal submit {I2I} prompt=x image_url=https://example.org/a.png --unchecked")
    assert texts("%fal submit |")[0] == f"%fal submit {I2I}"
    assert texts("%fal history --endpoint dev/im|") == [f"%fal history --endpoint {I2I}"]


def test_what_an_endpoint_requires_comes_first_with_its_type_and_default_beside_it(offers):
    found = offers(f"%fal run {I2I} |")
    assert [text.split()[-1] for text, _ in found[:2]] == ["image_url=", "prompt="]
    kinds = {text.split()[-1]: kind for text, kind in found}
    assert kinds["image_url="].startswith("required, image URL")
    assert kinds["num_inference_steps="].startswith("= 40, integer 10–50")
    assert kinds["--timeout"] == "option SECONDS"


def test_what_is_given_already_is_not_offered_again(texts):
    left = texts(f'%fal run {SCHNELL} "a fox" seed=1 --num-images 2 --note x |')
    assert not {"prompt=", "seed=", "num_images=", "--note"} & {text.split()[-1] for text in left}
    assert texts(f"%fal run {SCHNELL} --tag a --ta|") == [f"%fal run {SCHNELL} --tag a --tag"]


LINES = [
    (f"%fal run {SCHNELL} num_i|", [f"%fal run {SCHNELL} num_inference_steps=", f"%fal run {SCHNELL} num_images="]),
    (f"%fal run {SCHNELL} image_size.wi|", [f"%fal run {SCHNELL} image_size.width="]),
    (f"%fal run {SCHNELL} output_format=pn|", [f"%fal run {SCHNELL} output_format=png"]),
    (f'%fal run {SCHNELL} output_format="pn|', [f'%fal run {SCHNELL} output_format="png"']),
    (f"%fal run {SCHNELL} output_format:=|", [f'%fal run {SCHNELL} output_format:="{n}"' for n in ("jpeg", "png")]),
    (f"%fal run {SCHNELL} --output-format j|", [f"%fal run {SCHNELL} --output-format jpeg"]),
    (f"%fal run {SCHNELL} sync_mode=t|", [f"%fal run {SCHNELL} sync_mode=true"]),
    (f"%fal run {SCHNELL} --priority l|", [f"%fal run {SCHNELL} --priority low"]),
    (f"%fal run {SCHNELL} --priority=l|", [f"%fal run {SCHNELL} --priority=low"]),
    (f"%fal run {SCHNELL} --body pro|", [f"%fal run {SCHNELL} --body prompt"]),
    ("%fal history --state run|", ["%fal history --state RUNNING"]),
    ("%fal simulator sta|", ["%fal simulator start", "%fal simulator status"]),
    ("%fal help gra|", ["%fal help grammar"]),
    (f"%fal run {SCHNELL} prompt=x # see im|", []),
    (f"%fal run {SCHNELL} prompt=x; |", []),
]


def test_names_values_and_options(texts):
    for source, expected in LINES:
        found = texts(source)
        assert found == expected
        for line in found:
            assert not line.endswith("=") or read_arguments(f"{line[5:]}1")


def test_variables_are_offered_inside_braces_but_nothing_that_no_endpoint_could_take(texts, run):
    run("foxes = 3\n_fox = 2\nimport fractions as fox_module\ndef fox_function(): pass")
    assert texts(f'%fal run {SCHNELL} prompt="a {{fo|') == [f'%fal run {SCHNELL} prompt="a {{foxes}}']
    assert texts(f'%fal run {SCHNELL} prompt="a {{fo|}}"') == [f'%fal run {SCHNELL} prompt="a {{foxes}}"']
    assert texts(f"%fal run {SCHNELL} seed={{fo|") == [f"%fal run {SCHNELL} seed={{foxes}}"]
    assert texts(f"%%fal run {SCHNELL}\nTwo lines of\na {{fo|") == [f"%%fal run {SCHNELL}\nTwo lines of\na {{foxes}}"]
    assert f'%fal run {SCHNELL} prompt="{{{{foxes}}' not in texts(f'%fal run {SCHNELL} prompt="{{{{fo|')


def test_files_are_offered_after_an_at_sign_and_quoted_where_a_line_needs_it(texts, tmp_path):
    for name in ("cat.png", "my cat.png", ".cat.png", 'say "it\'s".png', "esc\x1b[31mcat.png", "cat\n.png"):
        (tmp_path / name).write_bytes(b"")
    for name in ("Category", "cat folder"):
        (tmp_path / name).mkdir()
    head = f"%fal run {I2I} image_url="
    assert texts(f"{head}@{tmp_path}/cat|") == [
        f"{head}@{tmp_path}/Category/",
        f'{head}@"{tmp_path}/cat folder/',
        f"{head}@{tmp_path}/cat.png",
        f'{head}@"{tmp_path}/my cat.png"',
    ]
    assert texts(f'{head}@"{tmp_path}/my c|') == [f'{head}@"{tmp_path}/my cat.png"']
    assert texts(f"{head}@{tmp_path}/.c|") == [f"{head}@{tmp_path}/.cat.png"]
    assert texts(f"{head}|") == [f"{head}@"]


def test_jobs_are_offered_by_number_and_request_id_and_open_ones_first_where_they_are_meant(texts, run, simulator):
    run(f"%fal run {SCHNELL} prompt=first -o first;")
    simulator.fault("long", seconds=30, times=1)
    run(f"job = %fal submit {SCHNELL} prompt=second")
    number, request_id = current().session.job(None).record_id, current().session.record(1).request_id
    assert texts("%fal result |")[0] == f"%fal result #{number}"
    assert texts("%fal result #1|") == ["%fal result #1"]
    assert texts(f"%fal status {request_id[:3]}|") == [f"%fal status {request_id}"]
    run(f"%fal submit {SCHNELL} prompt=third;")
    run("%fal wait 3")
    assert texts("%fal cancel |")[0] == f"%fal cancel #{number}"
    assert texts(f"%fal wait #{number} |")[0] == f"%fal wait #{number} #{number}"
    assert f"%fal attach {SCHNELL} {request_id}" in texts(f"%fal attach {SCHNELL} |")
    run(f"%fal cancel #{number}")


BODIES = [
    (f"%%fal run {SCHNELL} --yaml\nprompt: x\nsee|", [f"%%fal run {SCHNELL} --yaml\nprompt: x\nseed: "]),
    (f"%%fal run {SCHNELL} --yaml\nsync_mode: f|", [f"%%fal run {SCHNELL} --yaml\nsync_mode: false"]),
    (f'%%fal run {SCHNELL} --json\n{{"prompt": "x", "see|', [f'%%fal run {SCHNELL} --json\n{{"prompt": "x", "seed": ']),
    (f'%%fal run {SCHNELL} --json\n{{"output_format": "pn|', [f'%%fal run {SCHNELL} --json\n{{"output_format": "png"']),
    (f"%%fal sweep {SCHNELL}\noutput_format: [jpeg, pn|]", [f"%%fal sweep {SCHNELL}\noutput_format: [jpeg, png]"]),
    ("%%fal sweep\nendpoint: schn|", [f"%%fal sweep\nendpoint: {SCHNELL}"]),
    (f"%%fal sweep {SCHNELL}\nrow|", [f"%%fal sweep {SCHNELL}\nrows: "]),
    (
        f"%%fal sweep {SCHNELL}\nanimal_kind: [fox]\nprompt: a {{ani|}}",
        [f"%%fal sweep {SCHNELL}\nanimal_kind: [fox]\nprompt: a {{animal_kind}}"],
    ),
]


def test_bodies(texts):
    for source, expected in BODIES:
        assert texts(source) == expected


def test_sweeps_are_offered_by_name(texts, run):
    assert [text.split()[-1] for text in texts("%fal sweep |")][: len(SWEEP_ACTIONS)] == list(SWEEP_ACTIONS)
    run(f"%%fal sweep {SCHNELL} --name styles\nprompt: a fox\nseed: [1, 2]")
    assert texts("%fal sweep resume |")[0] == "%fal sweep resume styles"


@pytest.mark.parametrize(
    "source", ["fal|", "%fal|", "prompt|", "print(1)  # %fal run fl|", "%falcon run |", "x = '%fal ru|"]
)
def test_elsewhere_nothing_is_changed(source):
    assert find_place(source.replace("|", ""), source.index("|")) is None


@pytest.mark.filterwarnings("ignore:.*deprecat")
def test_the_old_interface_offers_the_same(shell, home):
    line = f"%fal run {SCHNELL} output_format="
    assert shell.Completer.complete(None, line, len(line))[1] == ["jpeg", "png"]


def test_unloading_takes_it_away_and_loading_again_offers_once(texts, run):
    run("%unload_ext fal_nb")
    assert not any(text.endswith("submit") for text in texts("%fal sub|"))
    run("%load_ext fal_nb")
    assert texts("%fal submi|") == ["%fal submit"]


HOSTILE = {
    "type": "object",
    "x-fal-order-properties": ["prompt"],
    "required": ["prompt", "\x1b[31mred", 'quo"te', "new\nline"],
    "properties": {
        "prompt": {"type": "string"},
        "\x1b[31mred": {"type": "string"},
        'quo"te': {"type": "string"},
        "new\nline": {"type": "string"},
        "two words": {"type": "string"},
        "style": {
            "type": "string",
            "enum": [
                "plain",
                "a b",
                'q"q',
                "{x}",
                "\x1b]0;t\x07",
                "\u202etxt",
                "a\nb",
                "; rm -rf ~",
                "#12",
                "@etc",
                "'",
            ],
            "title": "\x1b[2J<b>",
        },
    },
}


def test_hostile_names_and_values_are_offered_escaped_or_not_at_all(shell, home, simulator, texts, offers):
    document = {"components": {"schemas": {"XInput": HOSTILE}}}
    server = Hosts.under(simulator.base_url).schema
    keep_schema(home, server, "owner/hostile", document)
    for endpoint in ("owner/\x1b[31mred", "owner/a b", 'owner/"q"', "../../etc", "owner/<b>"):
        keep_schema(home, server, endpoint, document)
    assert [text for text in texts("%fal run owner/|") if "owner" in text] == ["%fal run owner/hostile"]
    names = {text.split()[-1] for text, _ in offers("%fal run owner/hostile |")}
    assert {name for name in names if not name.startswith("--")} == {"prompt=", "style="}
    values = texts("%fal run owner/hostile style=|")
    assert len(values) >= 7
    meant = [read_arguments(line[5:]).inputs[0].value for line in values]
    assert all("\x1b" not in line and "\u202e" not in line and "\n" not in line for line in values)
    written = [getattr(value, "value", None) or value.text for value in meant]
    assert {"plain", "a b", 'q"q', "; rm -rf ~", "#12", "@etc", "'"} <= set(written)
    assert "{{x}}" in written


def test_no_socket_is_opened_and_no_file_made_on_the_way(texts, home, monkeypatch):
    asked = []
    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, lambda *_args, name=name: asked.append(name))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: asked.append("getaddrinfo"))
    before = sorted(home.rglob("*"))
    for source in ("%fal |", "%fal run |", f"%fal run {SCHNELL} |", "%fal run fal-ai/fast-sdxl |", "%fal status |",
                   "%fal run fal-ai/nobody/knows |", "%%fal sweep\nendpoint: |", f"%fal run {SCHNELL} image_size=|"):  # fmt: skip
        texts(source)
    assert asked == []
    assert sorted(home.rglob("*")) == before


@pytest.mark.filterwarnings("ignore:.*deprecat")
def test_a_mistake_inside_is_no_traceback_over_the_cell(shell, capsys, monkeypatch):
    monkeypatch.setattr("fal_nb.magics.completion.known.Known.endpoints", lambda _self: 1 / 0)
    shell.Completer.complete(None, "%fal run fl", 11)
    assert "Traceback" not in capsys.readouterr().err
