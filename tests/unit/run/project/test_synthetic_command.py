"""`evalkit synthetic`: a folder whole or not at all, and what cannot be asked."""

from dataclasses import replace

import pytest

from evalkit.data.synthetic import whole_england
from evalkit.data.synthetic.known import EFFECT_NAMES, KnownEffects
from evalkit.run import cli

NONE = KnownEffects(**dict.fromkeys(EFFECT_NAMES, 0.0))


@pytest.fixture
def made(monkeypatch):
    """Calls of the maker, which writes two files in place of fifty."""
    calls = []

    def write(folder, seed, scale, effects):
        calls.append((seed, scale, effects))
        (folder / "SYNTHETIC.json").write_text("{}\n", encoding="utf-8")
        (folder / "table.csv").write_text("a\n", encoding="utf-8")

    monkeypatch.setattr(whole_england, "write_whole_england", write)
    return calls


def test_the_folder_is_made_and_told(made, tmp_path, capsys):
    assert cli.main(["synthetic", str(tmp_path / "england"), "--seed", "3", "--share", "0.1"]) == 0
    assert made == [(3, 0.1, KnownEffects())]
    assert sorted(path.name for path in (tmp_path / "england").iterdir()) == ["SYNTHETIC.json", "table.csv"]
    assert "2 files of made-up schools" in capsys.readouterr().out


def test_without_a_seed_it_is_that_of_the_examples(made, tmp_path):
    assert cli.main(["synthetic", str(tmp_path / "england")]) == 0
    assert made == [(2015, 1.0, KnownEffects())]


def test_a_folder_that_is_there_is_never_written_into(made, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    assert cli.main(["synthetic", str(tmp_path)]) == 2
    assert made == []
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "effects"),
    [
        (["--effect", "per_day=0.5", "--effect", "suspensions=-3"], KnownEffects(per_day=0.5, suspensions=-3.0)),
        (["--effect", "all=0"], NONE),
        (["--effect", "all=0", "--effect", "better_grade=1"], replace(NONE, better_grade=1.0)),
    ],
)
def test_effects_have_the_sizes_asked_for(made, tmp_path, words, effects):
    assert cli.main(["synthetic", str(tmp_path / "england"), *words]) == 0
    assert made == [(2015, 1.0, effects)]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("per_dya=1", "Did you mean 'per_day'?"),
        ("per_day", "a name and a number, such as suspensions=-3, not 'per_day'"),
        ("per_day=much", "a name and a number"),
        ("per_day=nan", "is a number, not nan"),
        ("better_grade=1.5", "a share from 0 to 1, not 1.5"),
    ],
)
def test_effects_that_cannot_be_planted_are_refused(made, tmp_path, capsys, word, said):
    assert cli.main(["synthetic", str(tmp_path / "england"), "--effect", word]) == 2
    assert made == []
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--share", "0"], ["--share", "1.5"], ["--share", "nan"], ["--seed", "-1"]], ids=" ".join
)
def test_what_cannot_be_made_is_refused_before_anything_is(made, tmp_path, words):
    assert cli.main(["synthetic", str(tmp_path / "england"), *words]) == 2
    assert made == []
    assert not (tmp_path / "england").exists()


def test_nothing_is_left_where_the_making_fails(monkeypatch, tmp_path):
    def write(folder, seed, scale, effects):
        (folder / "half.csv").write_text("a\n", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_england, "write_whole_england", write)
    assert cli.main(["synthetic", str(tmp_path / "england")]) == 3
    assert list(tmp_path.iterdir()) == []
