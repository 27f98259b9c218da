"""A line of words becomes the options of a command, or one sentence that says what is wrong with it."""

import pytest

from evalkit.core.errors import InputError
from evalkit.run.commands.catalogue import COMMANDS
from evalkit.run.commands.options import Options, asks_for_help, count, given_of, read

DID = ["table.csv", "--unit", "u", "--period", "t", "--outcome", "y", "--cohort", "g"]


def options() -> Options:
    declared = Options("evalkit try")
    declared.add_argument("file", metavar="FILE", help="a file")
    declared.add_argument("--on", required=True, help="a name")
    group = declared.add_argument_group("more")
    group.add_argument("--level", type=float, help="a level")
    group.add_argument("-j", "--jobs", type=count, help="a number of projects")
    group.add_argument("--kind", choices=("near", "far"), default="near", help="a kind")
    group.add_argument("--power", type=int, choices=(1, 2), help="a power")
    group.add_argument("--units", nargs="+", action="extend", default=[], help="units")
    group.add_argument("--without", action="append", default=[], help="a unit")
    group.add_argument("--json", action="store_true", help="a form")
    group.add_argument("--replace", action="store_true", default=None, help="a rule")
    return declared


def given(*words):
    return read(options(), ["f.csv", "--on", "a", *words])


def test_what_is_not_typed_has_its_default():
    found = given()
    assert (found.file, found.on, found.level, found.jobs, found.kind) == ("f.csv", "a", None, None, "near")
    assert (found.units, found.without, found.json, found.replace) == ([], [], False, None)


def test_options_are_typed_in_any_order_and_with_an_equals_sign():
    found = read(options(), ["--level=0.9", "-j2", "--on", "a b", "--json", "f.csv", "--kind", "far"])
    assert (found.level, found.jobs, found.on, found.json, found.file, found.kind) == (
        *(0.9, 2, "a b", True, "f.csv", "far"),
    )


def test_the_last_of_a_value_counts_and_of_a_list_every_one():
    assert given("--level", "0.8", "--level", "0.9").level == 0.9
    found = given("--units", "1", "2", "--json", "--units", "3", "--without", "x", "--without=y")
    assert (found.units, found.without) == (["1", "2", "3"], ["x", "y"])
    assert given().without == []  # nothing of an earlier line is left in the default


def test_negative_numbers_a_dash_and_texts_with_blanks_are_values():
    assert given("--level", "-1.5").level == -1.5
    assert read(options(), ["-", "--on", "-"]).file == "-"
    assert read(options(), ["f.csv", "--on", "--not an option"]).on == "--not an option"


def test_after_two_dashes_nothing_is_an_option():
    assert read(options(), ["--on", "a", "--", "--json"]).file == "--json"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lvel", "0.9"], "There is no option '--lvel'. Did you mean '--level'?"),
        (["--helpp"], "There is no option '--helpp'. Did you mean '--help'?"),
        (["--lev", "0.9"], "There is no option '--lev'."),  # no abbreviations: what they mean changes with new options
        (["-x"], "There is no option '-x'. `"),
        (["--level"], "--level lacks its value."),
        (["--level", "--json"], "--level lacks its value."),
        (["--units"], "--units lacks its value."),
        (["--level", "much"], "--level takes a number, not 'much'."),
        (["--power", "1.5"], "--power takes a whole number, not '1.5'."),
        (["--power", "3"], "--power is one of 1 and 2, not '3'."),
        (["--kind", "nearr"], "--kind is one of near and far, not 'nearr'. Did you mean 'near'?"),
        (["-j", "0"], "-j: '0' is no number of projects at once."),
        (["--json=yes"], "--json takes no value."),
        (["g.csv"], "There is no place for 'g.csv'."),
    ],
)
def test_a_slip_is_told_in_a_sentence(words, said):
    with pytest.raises(InputError) as caught:
        given(*words)
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith("`evalkit try --help` shows every option.")


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match=r"^FILE and --on are missing\."):
        read(options(), [])
    with pytest.raises(InputError, match=r"^--on is missing\."):
        read(options(), ["f.csv"])


def test_an_option_that_there_is_not_is_told_before_what_is_missing():
    with pytest.raises(InputError, match="no option '--unti'"):
        given_of("did", COMMANDS["did"], ["table.csv", "--unti", "u"])


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("did", [*DID, "--level", "2"], "--level lies between 0 and 1"),
        ("did", [*DID, "--seed", "-1"], "--seed is a whole number from 0 on"),
        ("did", [*DID, "-j", "2"], "-j shares out replications, and nothing is replicated here"),
        ("match", ["t.csv", "--treated", "d", "--on", "a", "--trim", "0.1"], "has no use for --trim"),
        ("synth", [*DID[:-2], "--treated", "1", "--start", "2", "--level", "0"], "--level lies between 0 and 1"),
        ("similar", ["t.csv", "--id", "i", "--on", "a", "--n", "0"], "--n is the length of a list"),
        ("similar", ["t.csv", "--id", "i", "--on", "a", "--sd-within-same"], "--same"),
        ("run", ["a", "--all"], "Name the projects to run, or give --all"),
        ("run", ["a", "-j", "2", "--scheduler", "x"], "Give one of them"),
        ("check", ["a", "--data", "d", "--synthetic"], "Give one of them"),
        ("lab", ["--fresh"], "Name the project as well"),
        ("lab", ["a", "--port", "0"], "--port is a number from 1 to 65535"),
        ("completion", ["tcsh"], "SHELL is one of bash, zsh and fish"),
    ],
)
def test_what_a_command_cannot_be_asked_is_refused_before_anything_is_loaded(name, words, said):
    with pytest.raises(InputError, match=said):
        given_of(name, COMMANDS[name], words)


def test_help_is_asked_for_before_two_dashes_only():
    assert asks_for_help(["did", "x", "--help"])
    assert asks_for_help(["did", "-h"])
    assert not asks_for_help(["new", "--", "-h"])
