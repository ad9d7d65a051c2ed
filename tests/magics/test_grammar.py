import pytest

from fal_nb.errors import GrammarError
from fal_nb.magics.arguments import build_arguments, read_arguments
from fal_nb.magics.grammar import parse_line
from fal_nb.magics.items import Assign, JsonAssign, Option, Word
from fal_nb.magics.options import SUBCOMMANDS
from fal_nb.magics.values import Bare, FilePath, JsonValue, Text, Variable
from fal_nb.templates.template import Attribute, Key, Reference


class Style:
    name = "ukiyo-e"


NAMESPACE = {"animal": "red fox", "style": Style(), "sizes": [256, 512], "named": {"a b": 1, "k": "v"}, "n": 3}

GOOD = [
    # texts
    ('run a/b prompt="a red fox"', {"prompt": "a red fox"}),
    ("run a/b prompt='a red fox'", {"prompt": "a red fox"}),
    ('run a/b prompt="it\'s a fox"', {"prompt": "it's a fox"}),
    ("run a/b prompt='say \"hi\" now'", {"prompt": 'say "hi" now'}),
    (r'run a/b prompt="say \"hi\" now"', {"prompt": 'say "hi" now'}),
    (r'run a/b prompt="one\ntwo \\ three \d"', {"prompt": "one\ntwo \\ three \\d"}),
    (r"run a/b prompt='one\ntwo'", {"prompt": r"one\ntwo"}),
    ("run a/b prompt=“a red fox”", {"prompt": "a red fox"}),
    ("run a/b prompt=”a red fox”", {"prompt": "a red fox"}),
    (r"run a/b prompt=“a \”red\” fox”", {"prompt": "a ”red” fox"}),
    ('run a/b prompt="“a” fox"', {"prompt": "“a” fox"}),
    ('run a/b prompt=""', {"prompt": ""}),
    ('run a/b prompt="5" seed="true"', {"prompt": "5", "seed": "true"}),
    ('run a/b prompt="100% #1, a=b c:=d --e @f; [g"', {"prompt": "100% #1, a=b c:=d --e @f; [g"}),
    ('run a/b prompt="犬 🦊 é"', {"prompt": "犬 🦊 é"}),
    ('run a/b prompt="a\tb"\tseed=1', {"prompt": "a\tb", "seed": 1}),
    ('run a/b "a red fox"', {"prompt": "a red fox"}),
    ("run a/b 'a red fox' seed=1", {"prompt": "a red fox", "seed": 1}),
    # bare values
    ("run a/b seed=42 g=-1.5e2 z=0", {"seed": 42, "g": -150.0, "z": 0}),
    (
        "run a/b a=true b=false c=null d=True e=01 f=1. g=1e999",
        {
            "a": True,
            "b": False,
            "c": None,
            "d": "True",
            "e": "01",
            "f": "1.",
            "g": "1e999",
        },
    ),
    ("run a/b prompt=it's", {"prompt": "it's"}),
    ("run a/b image_url=https://x.org/a.png?b=c&d=#e", {"image_url": "https://x.org/a.png?b=c&d=#e"}),
    ("run a/b seed==5", {"seed": "=5"}),
    ("run a/b prompt=fox#1;x", {"prompt": "fox#1;x"}),
    # JSON and brackets
    (
        'run a/b size={"width": 512, "a": [1, {"b": "]}"}]} seed=1',
        {
            "size": {"width": 512, "a": [1, {"b": "]}"}]},
            "seed": 1,
        },
    ),
    ("run a/b tags=[] size={}", {"tags": [], "size": {}}),
    ('run a/b tags=["it\'s # {animal}", "\\u00e9"]', {"tags": ["it's # {animal}", "é"]}),
    ("run a/b tags:=[1,2] n:=5 t:=true x:=null", {"tags": [1, 2], "n": 5, "t": True, "x": None}),
    ('run a/b loras:=\'[{"path": "{x}"}]\'', {"loras": [{"path": "{x}"}]}),
    ('run a/b a:="[1, 2]" b:="5" c:="text" d:=\'5\' e:=“5”', {"a": [1, 2], "b": "5", "c": "text", "d": 5, "e": 5}),
    ('run a/b a:="\\u0040x"', {"a": "@x"}),
    # names
    ("run a/b image_size.width=512 image_size.height=256", {"image_size": {"width": 512, "height": 256}}),
    ("run a/b a.b.c:=[1] a.b.d=2", {"a": {"b": {"c": [1], "d": 2}}}),
    ("run a/b größe=1 a-b=2", {"größe": 1, "a-b": 2}),
    # options
    ("run a/b --seed 42 --num-images=4 --sync-mode", {"seed": 42, "num_images": 4, "sync_mode": True}),
    ('run a/b --negative-prompt "a b" --flag seed=1', {"negative_prompt": "a b", "flag": True, "seed": 1}),
    ("run a/b --image-size.width 5 --a --b", {"image_size": {"width": 5}, "a": True, "b": True}),
    ("run a/b --url https://x.org/?a=b --shift -1", {"url": "https://x.org/?a=b", "shift": -1}),
    ("run a/b --size {sizes[0]} --marks [1, 2]", {"size": 256, "marks": [1, 2]}),
    ("run a/b --timeout 5 timeout=7 json=1", {"timeout": 7, "json": 1}),
    # variables
    (
        "run a/b prompt=\"a {animal} in {style.name} style, {named[k]} {named['a b']} {sizes[-1]}\"",
        {
            "prompt": "a red fox in ukiyo-e style, v 1 512",
        },
    ),
    ('run a/b prompt="{{animal}} {{{animal}}}"', {"prompt": "{animal} {red fox}"}),
    ("run a/b prompt=https://x.org/{n}.png", {"prompt": "https://x.org/3.png"}),
    ('run a/b sizes={sizes} size={sizes[1]} n={named["a b"]}', {"sizes": [256, 512], "size": 512, "n": 1}),
    # comments and the last semicolon
    ("run a/b seed=1 # seed=2", {"seed": 1}),
    ("run a/b seed=1 #", {"seed": 1}),
    ("run a/b seed=1;", {"seed": 1}),
    ('run a/b prompt="a;" ; # no output', {"prompt": "a;"}),
    ("run a/b tags=[1]; # no output", {"tags": [1]}),
    ("run a/b --sync-mode;", {"sync_mode": True}),
    ("  run   a/b  ", {}),
]

ALL = ", ".join(SUBCOMMANDS)
Q = "for a brace itself write {{ or }}"
BAD = [
    ("", f"column 6: a subcommand belongs here: {ALL}. Write: %fal help"),
    ("# run", f"column 6: a subcommand belongs here: {ALL}. Write: %fal help"),
    ("rnu a/b seed=1", "column 6: there is no subcommand 'rnu'; did you mean run? Write: %fal run a/b seed=1"),
    ("run_model a/b", "column 6: there is no subcommand 'run_model'; did you mean run? Write: %fal run a/b"),
    ("xyzzy", f"column 6: there is no subcommand 'xyzzy', only {ALL}. Write: %fal help"),
    ("a/b seed=1", "column 6: a subcommand comes before the endpoint. Write: %fal run a/b seed=1"),
    ('prompt="a"', 'column 6: a subcommand comes first. Write: %fal run fal-ai/flux/dev prompt="a"'),
    ("run", "column 9: the endpoint is missing, for example fal-ai/flux/dev. Write: %fal run fal-ai/flux/dev"),
    ("run --help", "column 6: help is a subcommand. Write: %fal help run"),
    ("--help", "column 6: help is a subcommand. Write: %fal help"),
    ("run a", "column 10: 'a' is not an endpoint id: write owner/alias or owner/alias/path, like fal-ai/flux/dev."),
    ("run https://fal.ai/models/a/b/playground?x=1 seed=1",
     "column 10: an endpoint is not a URL. Write: %fal run a/b seed=1"),
    ('run "a red fox"',
     'column 10: the endpoint comes before its text. Write: %fal run fal-ai/flux/dev "a red fox"'),
    ('run "a red fox" a/b seed=1', 'column 10: the endpoint comes first. Write: %fal run a/b "a red fox" seed=1'),
    ("run --flag a/b seed=1",
     "column 17: a/b was read as the value of --flag: the endpoint comes first. Write: %fal run a/b --flag seed=1"),
    # quotes
    ('run a/b prompt="a fox', 'column 21: the quote opened here is never closed. Write: %fal run a/b prompt="a fox"'),
    ('run a/b prompt="a fox seed=1 # c',
     'column 21: the quote opened here is never closed. Write: %fal run a/b prompt="a fox" seed=1 # c'),
    ("run a/b prompt='it's a fox'",
     'column 25: text goes on after the closing quote. Write: %fal run a/b prompt="it\'s a fox"'),
    ("run a/b prompt='the dogs' bone' seed=1",
     'column 32: "bone\'" has no name. Write: %fal run a/b prompt="the dogs\' bone" seed=1'),
    ('run a/b prompt="say "hi" now" seed=1',
     "column 27: text goes on after the closing quote. Write: %fal run a/b prompt='say \"hi\" now' seed=1"),
    ("run a/b prompt=“a fox", 'column 21: the quote opened here is never closed. Write: %fal run a/b prompt="a fox"'),
    ('run a/b prompt=“a fox" seed=1',
     'column 21: the quote opened here is never closed. Write: %fal run a/b prompt="a fox" seed=1'),
    ('run a/b prompt="a"seed=1',
     'column 24: text goes on after the closing quote. Write: %fal run a/b prompt="a" seed=1'),
    ('run a/b prompt="a", seed=1',
     'column 24: items are separated by spaces alone. Write: %fal run a/b prompt="a" seed=1'),
    ('run a/b prompt="a";seed=1',
     'column 24: items are separated by spaces alone. Write: %fal run a/b prompt="a" seed=1'),
    # words
    ("run a/b a red fox seed=1",
     ("column 14: 'a red fox' has no name, and a text with spaces needs quotes. "
     'Write: %fal run a/b prompt="a red fox" seed=1')),
    ("run a/b prompt=it's a fox seed=1",
     ("column 26: 'a fox' has no name, and a text with spaces needs quotes. "
     'Write: %fal run a/b prompt="it\'s a fox" seed=1')),
    ("run a/b --prompt a red fox",
     ("column 25: 'red fox' has no name, and a text with spaces needs quotes. "
     'Write: %fal run a/b --prompt "a red fox"')),
    ('run a/b prompt="a" fox', 'column 25: \'fox\' has no name. Write: %fal run a/b prompt="a fox"'),
    ('run a/b "a" "b"', "column 18: there is a text already, 'a': give \"b\" a name."),
    ('run a/b prompt = "a"', 'column 14: no space belongs around =. Write: %fal run a/b prompt="a"'),
    ('run a/b prompt: "a"', 'column 14: a name is followed by =, not by :. Write: %fal run a/b prompt="a"'),
    ('run a/b prompt "a"', 'column 20: after prompt a = is missing. Write: %fal run a/b prompt="a"'),
    ("run a/b {animal}", "column 14: '{animal}' has no name. Write: %fal run a/b prompt={animal}"),
    ("run a/b @cat.png", "column 14: '@cat.png' has no name. Write: %fal run a/b image_url=@cat.png"),
    ("run a/b image_url=@my cat.png",
     "column 28: 'cat.png' has no name. Write: %fal run a/b image_url=@\"my cat.png\""),
    ("run a/b loras.0.path=x", "column 14: 'loras.0.path' is not a name; a list is written in brackets, NAME=[…]."),
    # values
    ("run a/b prompt=", ('column 21: a value belongs directly after =; an empty text is "". '
                        'Write: %fal run a/b prompt=""')),
    ("run a/b prompt= seed=1", ('column 21: a value belongs directly after =; an empty text is "". '
                               'Write: %fal run a/b prompt="" seed=1')),
    ('run a/b prompt= "a"',
     'column 21: a value belongs directly after =, without a space. Write: %fal run a/b prompt="a"'),
    ("run a/b n:=", 'column 17: a value belongs directly after :=; an empty text is "". Write: %fal run a/b n:=""'),
    ("run a/b size=[1, 2", "column 19: the [ opened here is never closed. Write: %fal run a/b size=[1, 2]"),
    ("run a/b size=[1, 2}", "column 24: ] should close the bracket, but } stands here. Write: %fal run a/b size=[1, 2]"),
    ("run a/b prompt={animal}s",
     ('column 29: text goes on after the closing bracket: a text that holds brackets needs quotes. '
     'Write: %fal run a/b prompt="{animal}s"')),
    ("run a/b size={'w': 1, 'x': True,}",
     'column 20: not JSON: texts stand in double quotes: "…". Write: %fal run a/b size={"w": 1, "x": true}'),
    ("run a/b tags=[True]", "column 20: not JSON: write true for True. Write: %fal run a/b tags=[true]"),
    ("run a/b tags=[1,]",
     "column 22: not JSON: a comma stands before the closing bracket. Write: %fal run a/b tags=[1]"),
    ('run a/b size={"a": 1, "a": 2}', "column 19: not JSON: the key 'a' occurs twice in one object."),
    ("run a/b x={a red fox}",
     (f"column 16: {{a red fox}} is not {{name}}, {{name.attr}} or {{name[key]}}: anything more belongs in a Python "
     f'variable; {Q}. Write: %fal run a/b x="{{{{a red fox}}}}"')),
    ("run a/b x:=NaN", 'column 17: not JSON: NaN has no place in it. Write: %fal run a/b x="NaN"'),
    ("run a/b x:=hello", 'column 17: not JSON: expecting value. Write: %fal run a/b x="hello"'),
    ("run a/b x=[1e999]", "column 16: not JSON: 1e999 is too large."),
    ("run a/b x=[{animal}]",
     "column 18: not JSON: a list or object with variables in it belongs in a Python variable, NAME={variable}."),
    ("run a/b image=@", "column 21: a file's path belongs directly after @."),
    ("run a/b image=@https://x.org/a.png",
     'column 20: a URL needs no @. Write: %fal run a/b image="https://x.org/a.png"'),
    ("run a/b image=@{animal}",
     "column 20: a variable needs no @: its file is uploaded by itself. Write: %fal run a/b image={animal}"),
    ('run a/b image=@"my cat.png', ('column 21: the quote opened here is never closed. '
                                   'Write: %fal run a/b image=@"my cat.png"')),
    # templates
    ('run a/b prompt="a {animl}"', ("column 24: there is no variable animl in the notebook; did you mean {animal}? "
                                   'Write: %fal run a/b prompt="a {animal}"')),
    ("run a/b prompt={animl}", ("column 21: there is no variable animl in the notebook; did you mean {animal}? "
                               "Write: %fal run a/b prompt={animal}")),
    ('run a/b prompt="{xyzzy}"', f"column 22: there is no variable xyzzy in the notebook; set it before, or {Q}."),
    ('run a/b prompt="\\"a\\n {x"',
     (f"column 28: the {{ opened here is never closed: {Q}. "
     'Write: %fal run a/b prompt="\\"a\\n {{x"')),
    ("run a/b prompt='a {x' y=1", (f"column 24: the {{ opened here is never closed: {Q}. "
                                  'Write: %fal run a/b prompt="a {{x" y=1')),
    ('run a/b prompt="a { \\n b"', (f"column 24: the {{ opened here is never closed: {Q}. "
                                   'Write: %fal run a/b prompt="a {{ \\n b"')),
    ('run a/b prompt="a } b"', f'column 24: this }} closes nothing: {Q}. Write: %fal run a/b prompt="a }}}} b"'),
    ('run a/b prompt="{} {n}"', (f"column 22: there is no name between the braces: {Q}. "
                                'Write: %fal run a/b prompt="{{}} {n}"')),
    ('run a/b prompt="{n:.2f}"',
     (f"column 22: {{n:.2f}} is not {{name}}, {{name.attr}} or {{name[key]}}: anything more belongs in a Python "
     f'variable; {Q}. Write: %fal run a/b prompt="{{{{n:.2f}}}}"')),
    ('run a/b prompt="{n()}"',
     (f"column 22: {{n()}} is not {{name}}, {{name.attr}} or {{name[key]}}: anything more belongs in a Python "
     f'variable; {Q}. Write: %fal run a/b prompt="{{{{n()}}}}"')),
    ('run a/b prompt="{n._x}"', ("column 22: a name in {n._x} begins with an underscore: put its value into a variable "
                                "that does not.")),
    # names and options
    ("run a/b seed=1 seed=2", "column 21: seed is given twice, first at column 14: keep one of them."),
    ("run a/b seed=1 --seed 2", "column 21: seed is given twice, first at column 14: keep one of them."),
    ("run a/b size=square size.width=3",
     "column 26: size.width and size exclude each other: one is a part of the other."),
    ("run a/b a.b.c=1 a.b={}", "column 22: a.b and a.b.c exclude each other: one is a part of the other."),
    ("run a/b --timeout", "column 14: --timeout needs a value: --timeout SECONDS."),
    ("run a/b --timeout --direct", "column 14: --timeout needs a value: --timeout SECONDS."),
    ('run a/b --to "x', 'column 19: the quote opened here is never closed. Write: %fal run a/b --to "x"'),
    ('run a/b --flag "x', 'column 21: the quote opened here is never closed. Write: %fal run a/b --flag "x"'),
    ("run a/b " + "a." * 20 + "a=1", "column 14: a name has at most 20 parts."),
    ("run a/b --direct=yes", "column 14: --direct takes no value. Write: %fal run a/b --direct"),
    ("run a/b --direct --direct", "column 23: --direct is given twice. Write: %fal run a/b --direct"),
    ("run a/b —seed 5", ("column 14: a long dash stands where an option's two hyphens belong. "
                        "Write: %fal run a/b --seed 5")),
    ("run a/b --seed = 5", "column 20: no space belongs around =. Write: %fal run a/b --seed=5"),
    ("run a/b --seed:=5", "column 14: an option has no :=. Write: %fal run a/b seed:=5"),
    ("run a/b -- x", "column 14: a name belongs directly after --."),
    ("run a/b -x", "column 14: run has no option -x; `%fal help run` lists what it takes."),
    ('run a/b --seed"5"', 'column 20: after --seed a space or = is missing. Write: %fal run a/b --seed="5"'),
    ("run a/b --seed:5", "column 20: after --seed a space or = is missing. Write: %fal run a/b --seed=5"),
    ("run --flag", "column 9: the endpoint is missing, for example fal-ai/flux/dev. Write: %fal run fal-ai/flux/dev --flag"),
    ("run x=a/b", "column 9: the endpoint is missing, for example fal-ai/flux/dev. Write: %fal run fal-ai/flux/dev x=a/b"),
    ("run https://www.fal.ai/models/a/b/c/api", "column 10: an endpoint is not a URL. Write: %fal run a/b/c"),
    ("run http://fal.ai/models/a/b/examples#x", "column 10: an endpoint is not a URL. Write: %fal run a/b"),
    ("run https://fal.ai/models/a/b/", "column 10: an endpoint is not a URL. Write: %fal run a/b"),
    ("run a/b x:='[1 2]'", "column 21: not JSON: expecting ',' delimiter."),
    ('run a/b x:="\\q"', "column 18: not JSON: invalid \\escape."),
    ('run a/b prompt="{_x + 1}"',
     (f"column 22: {{_x + 1}} is not {{name}}, {{name.attr}} or {{name[key]}}: anything more belongs in a Python "
     f'variable; {Q}. Write: %fal run a/b prompt="{{{{_x + 1}}}}"')),
    ("submit a/b --direct", ("column 17: --direct is an option of run, not of submit; an input of that name is "
                            "NAME=VALUE. Write: %fal run a/b --direct")),
]  # fmt: skip


@pytest.mark.parametrize(("line", "arguments"), GOOD, ids=[line for line, _ in GOOD])
def test_a_line_gives_exactly_these_arguments(line, arguments):
    built = build_arguments(read_arguments(line), NAMESPACE)
    assert repr(built) == repr(arguments)


@pytest.mark.parametrize(("line", "message"), BAD, ids=[line for line, _ in BAD])
def test_a_mistake_gets_exactly_this_line(line, message):
    with pytest.raises(GrammarError) as caught:
        build_arguments(read_arguments(line), NAMESPACE)
    assert str(caught.value) == message


def test_the_tables_hold_well_over_forty_lines():
    assert len({line for line, _ in GOOD}) > 40
    assert len({line for line, _ in BAD}) > 40


def test_items_tell_their_kind_their_place_and_how_they_were_written():
    line = "run a/b \"a b\" x.y='q' z:=[1] --k v --on --to 'p' i=@f.png v={d.e['f'][0]} n=5; # c"
    parsed = parse_line(line)
    assert parsed.subcommand == "run"
    assert parsed.silenced
    assert parsed.items == (
        Word(4, "a/b", "a/b", quoted=False),
        Word(8, '"a b"', "a b", quoted=True),
        Assign(14, "x.y='q'", ("x", "y"), Text("q"), 18),
        JsonAssign(22, "z:=[1]", ("z",), JsonValue([1]), 25),
        Option(29, "--k v", ("k",), Bare("v"), 33, ours=False),
        Option(35, "--on", ("on",), None, 39, ours=False),
        Option(40, "--to 'p'", ("to",), Text("p"), 45, ours=True),
        Assign(49, "i=@f.png", ("i",), FilePath("f.png"), 51),
        Assign(58, "v={d.e['f'][0]}", ("v",), Variable(Reference("d", (Attribute("e"), Key("f"), Key(0)))), 60),
        Assign(74, "n=5", ("n",), Bare("5"), 76),
    )
    assert [item.raw for item in parsed.inputs] == ["x.y='q'", "z:=[1]", "--k v", "--on", "i=@f.png",
                                                    "v={d.e['f'][0]}", "n=5"]  # fmt: skip
    assert [option.name for option in parsed.options] == [("to",)]
    assert [word.text for word in parsed.words] == ["a/b", "a b"]


@pytest.mark.parametrize(
    ("line", "silenced"),
    [
        ("jobs;", True),
        ("jobs ;", True),
        ("jobs ; # c", True),
        ("jobs # ;", False),
        ("jobs", False),
        ('run a/b x="a;"', False),
        ('run a/b x="a";', True),
        ("run a/b x=a;b", False),
        ("run a/b x=[1];", True),
        ("run a/b x=a;;", True),
    ],
)
def test_only_a_last_semicolon_outside_quotes_silences(line, silenced):
    assert parse_line(line).silenced is silenced


def test_of_two_last_semicolons_the_first_belongs_to_a_bare_value():
    assert parse_line("run a/b x=a;;").inputs[0].value == Bare("a;")


@pytest.mark.parametrize("text", ["12", "#12", "#100", "3f2a-b0"])
def test_after_a_subcommand_about_jobs_a_hash_with_digits_is_a_job_and_no_comment(text):
    assert [word.text for word in parse_line(f"status {text} # a comment").words] == [text]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("status # 12", []),
        ("status #twelve", []),
        ("status 1 #12", ["1"]),
        ("status #12;", ["#12"]),
        ("wait #1 #2 --timeout 5 #3", ["#1", "#2", "#3"]),
        ("run a/b #12", ["a/b"]),
        ("jobs #12", []),
    ],
)
def test_elsewhere_a_hash_after_a_space_begins_a_comment(line, words):
    assert [word.text for word in parse_line(line).words] == words


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("status 1 2", "column 15: status takes one job, not '2'. Write: %fal status 1"),
        ("status a/b", "column 13: 'a/b' is an endpoint: status takes a job's number (12 or #12) or a request id."),
        ("cancel (x)", "column 13: '(x)' is no job: cancel takes a job's number (12 or #12) or a request id."),
        ("status job=1", "column 13: status takes no name=value; `%fal help status` lists what it takes."),
        ("jobs all", "column 11: jobs takes no words, not 'all'. Write: %fal jobs"),
        ("history limit=5", "column 14: history takes no name=value. Write: %fal history --limit 5"),
        ("history --limt 5", ("column 14: history has no option --limt; did you mean --limit? "
                             "Write: %fal history --limit 5")),
        ("simulator strat", "column 16: simulator knows no 'strat'; did you mean start? Write: %fal simulator start"),
        ("help rnu", "column 11: help knows no 'rnu'; did you mean run? Write: %fal help run"),
        ("help xyzzy", f"column 11: help knows no 'xyzzy'; there are {ALL}, grammar."),
    ],
)  # fmt: skip
def test_other_subcommands_say_what_they_take(line, message):
    with pytest.raises(GrammarError) as caught:
        parse_line(line)
    assert str(caught.value) == message


def test_the_error_knows_the_column_in_the_text_it_was_given():
    with pytest.raises(GrammarError) as caught:
        parse_line("run a/b seed=1 seed=2")
    assert caught.value.column == 15


def test_the_columns_and_lines_of_a_cell_magic_count_its_second_percent_sign():
    with pytest.raises(GrammarError) as caught:
        parse_line('run a/b prompt="a', "%%fal")
    assert str(caught.value) == ('column 22: the quote opened here is never closed. Write: %%fal run a/b prompt="a"')


def test_a_long_line_is_not_repeated_only_its_corrected_part():
    filler = " ".join(f"name{number}=value" for number in range(50))
    with pytest.raises(GrammarError) as caught:
        parse_line(f'run a/b {filler} prompt="a fox')
    assert str(caught.value).endswith('is never closed. Write there: "a fox"')


def test_a_mistake_whose_correction_is_long_too_gets_no_correction():
    with pytest.raises(GrammarError) as caught:
        parse_line(f'run a/b prompt="{"fox " * 100}')
    assert str(caught.value) == "column 21: the quote opened here is never closed."


@pytest.mark.parametrize(("length", "shown"), [(60, "x" * 60), (61, "x" * 59 + "…")])
def test_a_word_is_quoted_up_to_sixty_characters(length, shown):
    with pytest.raises(GrammarError, match=f"there is no subcommand '{shown}',"):
        parse_line("x" * length)


def test_a_long_word_is_like_no_other():
    with pytest.raises(GrammarError, match=r"there is no subcommand 'x+…', only run") as caught:
        parse_line("x" * 100_000)
    assert len(str(caught.value)) < 400


def test_only_the_first_few_places_where_a_text_may_have_ended_are_tried():
    seldom = 'run a/b prompt="x"' + 'y" ' * 5 + "z"
    often = 'run a/b prompt="x"' + 'y" ' * 50 + 'z"'
    for line in (seldom, often):
        with pytest.raises(GrammarError, match="text goes on after the closing quote") as caught:
            parse_line(line)
        assert "Write" not in str(caught.value)


def test_a_message_is_one_printable_line_whatever_the_mistake_holds():
    with pytest.raises(GrammarError) as caught:
        parse_line('run a/b a\x00b "x\n\u2028y" \ud800')
    assert len(str(caught.value).splitlines()) == 1
    str(caught.value).encode()
