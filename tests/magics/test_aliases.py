"""Short names of endpoints, and arguments that are kept to build on."""

import pytest
from traitlets.config import Config

import fal_nb as fal
from fal_nb.magics.aliases import merged
from fal_nb.magics.fal_magics import FalMagics
from fal_nb.workbench import current

SCHNELL = "fal-ai/flux/schnell"


def sent(run, line):
    """Return endpoint and arguments that a line would send."""
    printed, done = run(f"{line} --dry-run" if "\n" not in line else line.replace("\n", " --dry-run\n", 1))
    assert done.success, printed
    return done.result.call.endpoint, done.result.call.body


def test_a_short_name_brings_its_inputs_unless_the_line_says_otherwise(run):
    printed, _ = run(f"%fal alias draft={SCHNELL} num_inference_steps=2 image_size.width=64 image_size.height=32")
    assert printed.split() == f"draft {SCHNELL} num_inference_steps=2 image_size.width=64 image_size.height=32".split()
    size = {"width": 64, "height": 32}
    assert sent(run, '%fal run draft "a fox"') == (
        SCHNELL,
        {"num_inference_steps": 2, "image_size": size, "prompt": "a fox"},
    )
    _, body = sent(run, "%fal submit draft prompt=x num_inference_steps=3 image_size.width=128")
    assert body == {"num_inference_steps": 3, "image_size": {"width": 128, "height": 32}, "prompt": "x"}
    assert sent(run, "%fal run draft prompt=x image_size=square")[1]["image_size"] == "square"
    assert sent(run, "%%fal run draft seed=1\nthe body")[1]["prompt"] == "the body"
    _, done = run("%fal run draft prompt=x")
    assert done.result.files[0].pil().size == (64, 32)


def test_short_names_are_listed_forgotten_and_misspelt_ones_told(run):
    assert "no short names" in run("%fal alias")[0]
    run(f"%fal alias draft={SCHNELL}")
    run("%fal alias final=fal-ai/flux/dev seed=1;")
    assert run("%fal alias")[0].splitlines() == [f"draft  {SCHNELL}", "final  fal-ai/flux/dev seed=1"]
    printed, done = run("%fal run drfat prompt=x")
    assert not done.success
    assert "did you mean draft?" in printed
    run("%fal alias --remove draft")
    assert "draft" not in run("%fal alias")[0]
    assert not run("%fal run draft prompt=x")[1].success
    assert "no short name draft" in run("%fal alias --remove draft")[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("draft=fal-ai/flux/schnel", "did you mean fal-ai/flux/schnell?"),
        (f"draft={SCHNELL} num_imags=2", "num_imags"),
        (f"draft={SCHNELL} num_images=9 seed=x", "2 arguments to mend"),
    ],
)
def test_what_every_call_by_a_short_name_would_be_refused_for_is_refused_with_the_name(run, line, said):
    printed, done = run(f"%fal alias {line}")
    assert not done.success
    assert said in printed
    assert current().aliases == {}


def test_a_mistake_in_a_call_by_a_short_name_says_what_the_name_stands_for(run):
    run(f"%fal alias draft={SCHNELL} num_inference_steps=4")
    stands_for = f"draft stands for {SCHNELL} num_inference_steps=4."
    printed, _ = run("%fal run draft prompt=x num_images=9")
    assert printed.strip().endswith(f"it takes 1–4. {stands_for}")
    assert run("%fal run draft prompt=x num_images=9 seed=x")[0].splitlines()[-1] == f"  {stands_for}"
    assert "stands for" not in run(f"%fal run {SCHNELL} prompt=x num_images=9")[0]


@pytest.mark.parametrize(
    "line", ["draft", "draft=nowhere", "a.b=x/y", "draft:=1", "draft={x}", "1x=a/b", f"--remove d d={SCHNELL}"]
)
def test_what_cannot_be_a_short_name_is_refused(run, line):
    printed, done = run(f"%fal alias {line}")
    assert not done.success
    assert "Error" in printed
    assert current().aliases == {}


def test_short_names_are_an_option_of_the_magics_too(run, shell):
    run(f"%config FalMagics.aliases = {{'quick': '{SCHNELL} seed=4'}}")
    assert sent(run, "%fal run quick prompt=x") == (SCHNELL, {"seed": 4, "prompt": "x"})
    run(f"%fal alias other={SCHNELL}")
    assert shell.magics_manager.registry["FalMagics"].aliases == {"quick": f"{SCHNELL} seed=4", "other": SCHNELL}
    run("%config FalMagics.aliases = {'a b': 'x/y'}")
    assert sorted(current().aliases) == ["other", "quick"]


def test_short_names_of_the_configuration_are_in_force_from_the_start(shell):
    config = Config({"FalMagics": {"aliases": {"draft": f"{SCHNELL} seed=4"}, "memo": "reuse"}})
    FalMagics(shell=shell, config=config)
    assert current().aliases == {"draft": f"{SCHNELL} seed=4"}
    assert current().session.memo == "reuse"


def test_arguments_are_kept_and_built_on(run, shell, tmp_path):
    run("words = 'a fox'")
    sent(run, f"%fal run {SCHNELL} prompt={{words}} image_size.width=64 image_size.height=32 seed=3 --save fox")
    run("words = 'a wolf'")
    _, body = sent(run, f"%fal run {SCHNELL} --with fox image_size.width=128 num_images=2 --save larger")
    assert body == {"prompt": "a fox", "image_size": {"width": 128, "height": 32}, "seed": 3, "num_images": 2}
    assert sent(run, f"%fal run {SCHNELL} --with larger seed=9")[1] == {**body, "seed": 9}
    assert sent(run, f"%fal run {SCHNELL} --with fox")[1]["image_size"] == {"width": 64, "height": 32}
    printed, done = run(f"%fal run {SCHNELL} --with foxes prompt=x")
    assert not done.success
    assert "did you mean fox?" in printed
    run(f"%fal alias draft={SCHNELL} seed=1 num_inference_steps=2")
    assert sent(run, "%fal run draft --with fox")[1]["seed"] == 3


def test_kept_arguments_without_an_endpoint_name_no_endpoint_they_are_not_of(run):
    printed, done = run("%fal run --with fox seed=3")
    assert not done.success
    assert "--with brings arguments alone" in printed
    assert "fal-ai/" not in printed


def test_files_are_kept_as_files(run, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    endpoint = "fal-ai/flux/dev/image-to-image"
    run(f"%fal run {endpoint} prompt=x image_url=@{tmp_path}/cat.png --save cat --dry-run")
    _, done = run(f"%fal run {endpoint} --with cat prompt=y --dry-run")
    assert [file.name for file in done.result.call.files] == ["cat.png"]


def test_merging_changes_neither():
    base, own = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 4}, "d": {"e": 5}}
    assert merged(base, own) == {"a": {"b": 4, "c": 2}, "d": {"e": 5}}
    assert (base, own) == ({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 4}, "d": {"e": 5}})


@pytest.mark.filterwarnings("ignore:.*deprecat")
def test_tab_offers_short_and_kept_names(run, shell):
    shell.Completer.use_jedi = False
    run(f"%fal alias draft={SCHNELL}")
    run("%fal run draft prompt=x --save foxes --dry-run")
    fal.schema(SCHNELL)

    def offers(line):
        return shell.complete("", line, len(line))[1]

    assert offers("%fal run dra") == ["draft"]
    assert offers("%fal run draft num_inf") == ["num_inference_steps="]
    assert offers("%fal run draft --with f") == ["foxes"]
    assert offers("%fal alias --remove d") == ["draft"]


def test_every_option_of_the_magics_says_what_it_does(run):
    printed, _ = run("%config FalMagics")
    for name, trait in FalMagics.class_traits(config=True).items():
        assert len(trait.help) > 40
        assert f"FalMagics.{name}=" in printed
