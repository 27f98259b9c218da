"""The options that say who carries out replications, on every command that has them."""

import pytest

from evalkit.core.draws import SERIAL
from evalkit.core.errors import InputError
from evalkit.run.commands.options import Options, add_where_options, read
from evalkit.run.processes.executors import ExecutorChoice, ProcessPool, executor_at, executor_choice


def given(*options):
    declared = Options("evalkit did")
    add_where_options(declared)
    return read(declared, options)


def test_without_options_this_process_does_everything():
    assert executor_choice(given()) == ExecutorChoice(1, None)
    with executor_at(executor_choice(given("-j", "1"))) as executor:
        assert executor == SERIAL


def test_jobs_are_processes_of_this_machine():
    with executor_at(executor_choice(given("-j", "3"))) as executor:
        assert executor == ProcessPool(3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-j", "0"), "from 1 to 256, not 0"),
        (("-j", "257"), "from 1 to 256, not 257"),
        (("-j", "2", "--scheduler", "tcp://host:8786"), "Give one of them"),
        (("--scheduler", " "), "given as an empty text"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        executor_choice(given(*options))


@pytest.mark.parametrize("options", [("-j", "2"), ("--scheduler", "tcp://host:8786")])
def test_workers_without_work_are_refused(options):
    with pytest.raises(InputError, match="shares out replications, and nothing is drawn"):
        executor_choice(given(*options), "nothing is drawn")
    assert executor_choice(given("-j", "1"), "nothing is drawn").is_here
