"""Pupils on roll by school."""

from evalkit.data.published.school_lists import read_roll


def write(path, *rows, header="SCHOOL_ID,NOR_2223"):
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def test_both_key_stages_are_read_and_a_school_of_both_counts_once(tmp_path):
    first = write(tmp_path / "ks2.csv", "1,210.0", "2,", "3,900")
    second = write(tmp_path / "ks4.csv", "3,900", "4,1200")
    found = read_roll({"KS2": first, "KS4": second})
    assert found.to_dict() == {"1": 210.0, "3": 900.0, "4": 1200.0}


def test_files_without_the_column_give_none(tmp_path):
    assert read_roll({}) is None
    assert read_roll({"KS2": write(tmp_path / "ks2.csv", "1", header="SCHOOL_ID")}) is None
