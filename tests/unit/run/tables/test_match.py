"""`evalkit match` from what is typed to what leaves: options as nouns, one document for every drawing."""

import io
import re
from dataclasses import replace
from html import unescape

import docx
import numpy as np
import pandas as pd
import pytest

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.errors import InputError
from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.design.matching.options import CovariateCaliper, NearestNeighbour
from evalkit.report.border.parts import Figure
from evalkit.report.documents.html import report_html
from evalkit.report.documents.terminal import terminal_text
from evalkit.report.words.matched import effect_sentence, hidden_covariates, not_used
from evalkit.run.cli import parsed
from evalkit.run.console import Progress
from evalkit.run.tables.match import told_of_match
from evalkit.run.tables.match_answer import match_answer, told_match
from evalkit.run.tables.match_options import caliper_of, match_request, option_of
from tests.match_command import run_match
from tests.unit.report.pdf_reading import all_text, squeezed


def units(folder, n=90, n_treated=30):
    random = np.random.default_rng(4)
    treated = np.arange(n) < n_treated
    table = pd.DataFrame({"id": [f"u{at:03d}" for at in range(n)], "t": treated.astype(int)})
    table["a"] = random.normal(size=n) + 0.5 * treated
    table["y"] = table["a"] + random.normal(size=n) + 0.5 * treated
    table.to_csv(folder / "units.csv", index=False)
    return folder / "units.csv"


COLUMNS = ("--treated", "t", "--on", "a", "--id", "id", "--outcome", "y")


def request(path, *options):
    return match_request(parsed(["match", str(path), *COLUMNS, *options]))


def answer(path, *options):
    return match_answer(request(path, *options), Progress(is_quiet=True))


def test_a_caliper_is_the_noun_of_the_design_from_the_command_line_on(tmp_path):
    assert caliper_of("fsm=0.5") == ("fsm", CovariateCaliper(width=0.5, in_units=False))
    assert caliper_of("fsm=5units") == ("fsm", CovariateCaliper(width=5.0, in_units=True))
    option = option_of(request(tmp_path / "x.csv", "--caliper", "0.2", "--caliper-on", "a=5units"))
    assert option == NearestNeighbour(caliper=0.2, calipers={"a": CovariateCaliper(width=5.0, in_units=True)})


@pytest.mark.parametrize("text", ["fsm", "fsm=", "=2", "fsm=-1", "fsm=0", "fsm=infunits", "fsm=twounits"])
def test_a_caliper_without_a_name_or_a_positive_width_is_refused(text):
    with pytest.raises(InputError, match="give a covariate and a positive width"):
        caliper_of(text)


def test_every_drawing_says_the_same_of_the_effect_and_the_arms(tmp_path):
    path = units(tmp_path)
    said = effect_sentence(answer(path).effect, "y")
    drawings = {}
    for kind in ("html", "docx", "pdf"):
        out = tmp_path / f"out.{kind}"
        done = run_match(path, *COLUMNS, "--out", str(out))
        assert done.code == 0, done.err
        drawings[kind] = out.read_bytes()
    texts = {
        "terminal": squeezed(done.out),
        "page": squeezed(unescape(drawings["html"].decode())),
        "word": squeezed(" ".join(p.text for p in docx.Document(io.BytesIO(drawings["docx"])).paragraphs)),
        "pdf": all_text(drawings["pdf"]).replace("’", "'").replace("‘", "'"),
    }
    for name, text in texts.items():
        assert squeezed(said) in text, name
        assert "Unitsbeforeandafter" in text, name


def test_of_people_a_covariate_of_which_one_makes_up_most_has_no_row(tmp_path):
    path = units(tmp_path)
    table = pd.read_csv(path)
    table["hours"] = np.where(table["id"] == "u003", 4000.0, 1.0 + table.index % 7)
    table.to_csv(path, index=False)
    hours = ("--on", "a,hours")
    of_people = told_match(answer(path, *hours, "--people"))
    assert of_people.hidden_covariates == ("hours",)
    assert [row.covariate for row in of_people.answer.balance.covariates] == ["a"]
    assert "hours" in [row.covariate for row in told_match(answer(path, *hours)).answer.balance.covariates]


def test_figures_stand_in_files_and_not_on_the_terminal(tmp_path):
    told = told_of_match(answer(units(tmp_path)))
    drawn = [part.caption for part in told.document(True).parts if isinstance(part, Figure)]
    assert [caption.split()[0] for caption in drawn] == ["How", "Overlap:", "a:"]
    assert not any(isinstance(part, Figure) for part in told.document(False).parts)


def test_quiet_says_nothing_beside_a_file(tmp_path):
    out = tmp_path / "out.csv"
    done = run_match(units(tmp_path), *COLUMNS, "--quiet", "--out", str(out))
    assert (done.code, done.out, done.err) == (0, "", "")
    assert out.read_text().startswith("id,treated,weight,set,score\n")
    alone = run_match(tmp_path / "units.csv", *COLUMNS, "--quiet")
    assert "The effect" in alone.out
    assert alone.err == ""


def test_units_that_are_not_used_are_named_unless_they_are_people():
    said = not_used(["a", "b"], 40)
    assert said == "Not used: 2 units of the target group (a and b)."
    assert said.written(FEWEST_PEOPLE) == "Not used: fewer than 10 units of the target group."
    many = not_used([f"u{at}" for at in range(12)], 40)
    assert many.written(FEWEST_PEOPLE) == "Not used: 12 units of the target group."
    # of 40 all but 4: the number would tell that 4 are used
    assert (
        not_used(["u"] * 36, 40).written(FEWEST_PEOPLE) == "Not used: a withheld number of units of the target group."
    )
    assert not_used([], 40) == ""


def test_covariates_without_a_row_are_named():
    assert hidden_covariates(("fsm_n", "b"), 10) == (
        "Of fsm n and b nothing is shown: fewer than 10 people of an arm have or lack it, or one or two of them "
        "make up most of its mean."
    )
    assert hidden_covariates((), 10) == ""


def test_why_a_measure_does_not_apply_tells_no_number_of_people(tmp_path):
    found = answer(units(tmp_path), "--people")
    typed = Unavailable(Sentence("Only {n}.", n=count(3, "people", "pair")))
    measures = replace(found.sensitivity, hidden_bias=typed, selection=Unavailable("Only 4 pairs."))
    match = told_match(replace(found, sensitivity=measures))
    assert match.answer.sensitivity.hidden_bias.reason == "Only fewer than 10 pairs."
    told = told_of_match(replace(found, sensitivity=measures))
    document = told.document(False)
    for text in (terminal_text(document), report_html(document), str(told.record())):
        assert not re.search(r"Only [34] pair", text)


def test_a_match_of_schools_tells_every_number(tmp_path):
    text = " ".join(run_match(units(tmp_path), *COLUMNS, "--common-support", "treated").out.split())
    assert re.search(r"Not used: \d units? of the target group \(u\d\d\d", text)
