"""What a user names on the command line: what cannot be written or read is told at once, before any computation."""

import os
import stat
import sys

import pytest

from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.run import cli
from evalkit.run.many import portfolio_reader
from evalkit.run.tables import match_answer, similar
from evalkit.run.typed_paths import data_folder, out_file, out_folder, typed_path

LONG = "n" * 250 + ".csv"  # 254 letters: a name may have 255, but while it is written it has some more


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_end_on_signals", lambda: None)
    (tmp_path / "table.csv").write_text("id,treated,size\na,1,2\nb,0,2\n")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "data" / "projects" / "x").mkdir(parents=True)
    (tmp_path / "data" / "projects" / "x" / "project.yml").write_text("slug: x\n")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.csv")
    return tmp_path / "table.csv"


OUTS = [
    ("folder.csv", "this is a folder, not a file"),
    pytest.param(
        "pipe.csv",
        "this is a pipe or a device",
        marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX"),
    ),
    (LONG, "the path is too long"),
    ("/".join(["deep"] * 2000) + ".csv", "the path is too long"),
    ("none/list.csv", "there is no folder 'none'"),
    ("file/list.csv", "there is no folder 'file'"),
    ("table.csv", "this is the table that was read"),
    ("list.txt", "must end in .html"),
    ("~nobody-of-this-name/list.csv", "there is no such home folder"),
]


@pytest.mark.parametrize(("out", "said"), OUTS)
@pytest.mark.parametrize("command", [("match", "--treated", "treated"), ("similar", "--id", "id")], ids=lambda c: c[0])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_computed(
    table, monkeypatch, capsys, command, out, said
):
    for module, name in ((match_answer, "match_answer"), (similar, "similar_answer")):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("it was computed first"))
    name, *columns = command
    assert cli.main([name, "table.csv", *columns, "--on", "size", "--out", out]) == 2
    printed = capsys.readouterr()
    assert (printed.out, said in printed.err) == ("", True)
    assert len(printed.err) < 400
    assert not list(table.parent.glob(".*"))


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("file", "this is a file, not a folder"),
        ("file/below", "this is a file, not a folder"),
        ("n" * 256, "the path is too long"),
        ("", "given as an empty text"),
    ],
)
def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_read(table, monkeypatch, capsys, out, said):
    monkeypatch.setattr(portfolio_reader, "read_outputs", lambda *_: pytest.fail("it was read first"))
    for command in (["portfolio", "--out", out], ["portfolio", "--outputs", out], ["run", "--all", "--out", out]):
        assert cli.main(command) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", [["run", "x"], ["check", "x"], ["power", "x"], ["lab", "x"]], ids=lambda c: c[0])
@pytest.mark.parametrize(
    ("data", "said"), [("none", "there is no such folder"), ("file", "not a folder"), ("n" * 256, "too long")]
)
def test_data_that_are_no_folder_are_refused(table, capsys, command, data, said):
    assert cli.main([*command, "--data", data]) == 2
    assert said in capsys.readouterr().err


COMMANDS = [
    ("did", "--unit", "id", "--period", "size", "--outcome", "size", "--cohort", "treated"),
    ("match", "--treated", "treated", "--on", "size"),
    ("synth", "--unit", "id", "--period", "p", "--outcome", "size", "--treated", "a", "--start", "1"),
    ("similar", "--id", "id", "--on", "size"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param(
            "pipe.csv",
            "this is a pipe or a device",
            marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX"),
        ),
        ("n" * 256 + ".csv", "the path is too long"),
        ("~nobody-of-this-name/table.csv", "there is no such home folder"),
    ],
)
def test_what_can_be_no_table_is_refused_and_not_waited_for(table, capsys, command, name, said):
    first, *columns = command
    assert cli.main([first, name, *columns]) == 2
    printed = capsys.readouterr()
    assert (printed.out, said in printed.err) == ("", True)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told_at_once(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(EnvironmentFault, match="may not be written"):
        out_file(str(tmp_path / "a.csv"), (".csv",), tmp_path / "table.csv")


def test_what_can_be_used_is_returned(table, tmp_path):
    assert out_file(None, (".csv",), table) is None
    assert out_file("new.CSV", (".csv",), table) == typed_path("new.CSV", "FILE")
    assert out_folder("new/below") == tmp_path / "new" / "below"
    assert (out_folder(None), data_folder(None)) == (None, None)
    assert data_folder("folder.csv") == tmp_path / "folder.csv"
    with pytest.raises(InputError, match="Write the path out"):
        typed_path("~nobody-of-this-name/table.csv", "FILE")
