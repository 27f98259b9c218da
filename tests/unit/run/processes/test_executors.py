"""Several processes of one machine: the numbers of one, errors as they are, and no process left behind."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from evalkit.core.draws import SERIAL
from evalkit.core.errors import DesignError, EnvironmentFault, InputError
from evalkit.design.power.mdes import require_shares
from evalkit.run.processes.executors import ProcessPool
from tests.replications import VERBS

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_every_verb_gives_the_same_digits_on_two_processes(verb):
    assert verb(ProcessPool(2)) == verb(SERIAL)


@pytest.mark.parametrize("n_workers", [1, 3])
def test_the_number_of_processes_changes_no_digit(n_workers):
    verb = VERBS["cluster bootstrap"]
    assert verb(ProcessPool(n_workers)) == verb(SERIAL)


def test_results_come_in_the_order_of_chunks():
    slow_first = [0.4, 0.0, 0.2]
    assert ProcessPool(3).map(time.sleep, slow_first) == [None] * 3
    assert ProcessPool(2).map(partial(pow, 2), range(20)) == [2**power for power in range(20)]
    assert ProcessPool(2).map(partial(pow, 2), []) == []


def test_workers_compute_on_one_thread(monkeypatch):
    assert ProcessPool(2).map(os.getenv, ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]) == ["1", "1"]


def test_an_error_in_a_chunk_arrives_as_it_is():
    with pytest.raises(DesignError) as here:
        require_shares(0.95, 3.0)
    with pytest.raises(DesignError, match=re.escape(str(here.value))):
        ProcessPool(2).map(partial(require_shares, 0.95), [0.8, 3.0, 0.9])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_is_told_in_a_sentence(number):
    with pytest.raises(EnvironmentFault, match="ended from outside, by hand or because memory ran out"):
        ProcessPool(2).map(signal.raise_signal, [number])
    assert multiprocessing.active_children() == []


def test_what_cannot_be_sent_is_refused():
    with pytest.raises(InputError, match="Define the estimator in a module"):
        ProcessPool(2).map(lambda chunk: chunk, [1, 2])


@pytest.mark.parametrize("n_workers", [0, -1, 257])
def test_numbers_of_workers_are_refused(n_workers):
    with pytest.raises(InputError, match="from 1 to 256"):
        ProcessPool(n_workers)


def test_an_interrupted_call_ends_its_workers_at_once():
    main = threading.main_thread().ident
    threading.Timer(1.5, signal.pthread_kill, (main, signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        ProcessPool(2).map(time.sleep, [30.0, 30.0])
    assert time.monotonic() - began < 10
    assert multiprocessing.active_children() == []


_ENDLESS = """
import time
from evalkit.run.processes.executors import ProcessPool
if __name__ == "__main__":
    print("begun", flush=True)
    ProcessPool(2).map(time.sleep, [60.0, 60.0])
"""


def test_workers_do_not_outlive_a_killed_parent(tmp_path):
    script = tmp_path / "endless.py"
    script.write_text(_ENDLESS)
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": ROOT})
    with parent:
        assert parent.stdout.readline() == b"begun\n"
        family = _family_of(parent.pid, at_least=4)  # its resource tracker, its fork server, and two workers
        parent.kill()
    assert psutil.wait_procs(family, timeout=10)[1] == []


def _family_of(pid, at_least):
    """Return the descendants of a process, once there are as many."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        family = psutil.Process(pid).children(recursive=True)
        if len(family) >= at_least:
            return family
        time.sleep(0.1)
    raise AssertionError(f"only {len(family)} processes were started")
