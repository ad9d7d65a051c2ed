import re

import pytest

from fal_nb.errors import GrammarError
from fal_nb.magics.arguments import read_arguments
from fal_nb.magics.format import split_cell
from fal_nb.magics.help import help_text
from fal_nb.magics.options import OTHER_NAMES, SUBCOMMANDS

EXAMPLES = [example for spec in SUBCOMMANDS.values() for example in spec.examples]


def test_the_overview_names_every_subcommand_with_what_it_does():
    overview = help_text()
    for spec in SUBCOMMANDS.values():
        assert re.search(rf"^  {spec.name} +{re.escape(spec.summary)}$", overview, re.MULTILINE)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_help_of_a_subcommand_has_usage_every_option_and_examples(name):
    spec, text = SUBCOMMANDS[name], help_text(name)
    assert f"%fal {name} {spec.usage}".strip() in text.splitlines()[0] + " "
    for option in spec.options:
        assert re.search(rf"^  .*{option.spelling} *{re.escape(option.metavar)} +\S", text, re.MULTILINE)
    assert len(spec.examples) in {2, 3, 4}
    assert " ".join(spec.details.split()) in " ".join(text.split())


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_accepted_by_the_parser(example):
    line, body = split_cell(re.sub(r"^\w+ = ", "", example))
    read_arguments(line, body)


def test_examples_in_the_overview_are_accepted_by_the_parser():
    examples = re.findall(r"^  (?:\w+ = )?(%fal .*)$", help_text(), re.MULTILINE)
    assert len(examples) == 3
    for example in examples:
        read_arguments(split_cell(example)[0])


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ('name="a text"', "text"),
        ("name=true", True),
        ("name=[1, 2]", [1, 2]),
        ('name={"k": 1}', {"k": 1}),
        ("name={variable}", "object"),
    ],
)
def test_the_help_of_the_grammar_shows_forms_that_work(line, arguments):
    assert line in help_text("grammar")
    assert read_arguments(f"run a/b {line}").inputs[0].raw == line


def test_no_line_of_help_is_wider_than_a_notebook_shows():
    for topic in (None, "grammar", *SUBCOMMANDS):
        assert max(map(len, help_text(topic).splitlines())) <= 104


def test_an_unknown_topic_names_the_nearest_one():
    with pytest.raises(GrammarError, match=r"There is no help on 'rnu'\. Did you mean %fal help run\?"):
        help_text("rnu")
    with pytest.raises(GrammarError, match=r"There is help on run, submit, .*, grammar\."):
        help_text("xyzzy")


def test_names_from_other_tools_lead_to_subcommands_there_are():
    assert set(OTHER_NAMES.values()) <= set(SUBCOMMANDS)
    assert not set(OTHER_NAMES) & set(SUBCOMMANDS)


def test_option_names_and_fields_are_unique_in_each_subcommand():
    for spec in SUBCOMMANDS.values():
        names = [name for option in spec.options for name in (option.name, option.short) if name]
        assert len(set(names)) == len(names)
        assert len({option.field for option in spec.options}) == len(spec.options)


@pytest.mark.parametrize(
    ("cell", "topic"),
    [
        ("%fal?", None),
        ("%fal ?", None),
        ("?%fal", None),
        ("%%fal?", None),
        ("%fal run?", "run"),
        ("%fal sweep ??", "sweep"),
    ],
)
def test_a_question_mark_asks_for_help(run, cell, topic):
    assert run(cell)[0].strip() == help_text(topic).strip()


def test_a_question_mark_at_the_end_of_a_call_belongs_to_it(run, shell):
    for cell in ("%fal run fal-ai/flux/schnell prompt=why?", "x = %fal run fal-ai/flux/schnell 'so what?' note=why?"):
        _, done = run(f"{cell.replace(' note=why?', '')} --note ok?" if "note" in cell else cell)
        assert done.success
    assert shell.user_ns["x"]["prompt"] == "so what?"
    assert run("%%fal run fal-ai/flux/schnell\n%fal run?")[1].result["prompt"] == "%fal run?"
    assert "Docstring" in run("len?")[0]
    assert "help run" in run("%%fal run?\nx")[0]


def test_unloading_leaves_questions_to_ipython(run, shell):
    before = len(shell.input_transformers_cleanup)
    run("%unload_ext fal_nb")
    assert len(shell.input_transformers_cleanup) == before - 1
    run("%load_ext fal_nb")
    assert len(shell.input_transformers_cleanup) == before
