"""A real cluster of two worker processes: the digits of one process, and what goes wrong told in sentences."""

import json
import re
import signal
import sys
import threading
import time
from functools import partial

import pytest

from evalkit.core.draws import SERIAL
from evalkit.core.errors import DesignError, EnvironmentFault, InputError
from evalkit.design.power.mdes import require_shares
from evalkit.run.many import cluster, cluster_fleet
from evalkit.run.many.cluster import connected, dask_executor, differences, facts, require_same
from evalkit.run.many.task import Task
from evalkit.run.processes.executors import ExecutorChoice, executor_at
from tests.dask_processes import START_SECONDS, noted, processes
from tests.replications import VERBS, drawn_clusters

pytest.importorskip("distributed", reason="needs the extra evalkit[cluster]")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """The file of a scheduler with two workers."""
    with processes(tmp_path_factory.mktemp("cluster")) as (file, _):
        yield file


@pytest.fixture(scope="module")
def executor(scheduler):
    with dask_executor(str(scheduler)) as found:
        found.client.wait_for_workers(2, timeout=START_SECONDS)
        yield found


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_every_verb_gives_the_same_digits_on_a_cluster(verb, executor):
    assert verb(executor) == verb(SERIAL)


def test_both_workers_take_part(executor):
    slow = "(__import__('time').sleep(0.3), __import__('os').getpid())[1]"  # test modules are not known to workers
    assert len(set(executor.map(eval, [slow] * 6))) == 2


def test_an_error_in_a_chunk_arrives_as_it_is(executor):
    with pytest.raises(DesignError) as here:
        require_shares(0.95, 3.0)
    with pytest.raises(DesignError, match=re.escape(str(here.value))):
        executor.map(partial(require_shares, 0.95), [0.8, 3.0, 0.9])
    assert executor.map(abs, [-1]) == [1]  # and the cluster goes on


def test_what_cannot_be_sent_is_refused(executor):
    with pytest.raises(InputError, match="Define the estimator in a module"):
        executor.map(lambda chunk: chunk, [1, 2])


def test_an_address_serves_as_well_as_a_file(scheduler):
    address = json.loads(scheduler.read_text())["address"]
    with executor_at(ExecutorChoice(scheduler=address)) as found:
        assert found.map(abs, [-2, 3]) == [2, 3]


def test_workers_killed_in_mid_run_change_nothing(tmp_path):
    """Of three workers one is killed under eight slow chunks, a second under a bootstrap; the third does the rest."""
    slow = "(__import__('time').sleep(0.5), 7)[1]"  # 8 x 0.5 s on three workers: under way for 1.3 s at least
    with processes(tmp_path, n_workers=3) as (file, (_, first, second, _)), dask_executor(str(file)) as executor:
        executor.client.wait_for_workers(3, timeout=START_SECONDS)
        threading.Timer(0.7, first.kill).start()
        assert executor.map(eval, [slow] * 8) == [7] * 8
        assert first.wait(10) == -signal.SIGKILL
        threading.Timer(0.5, second.kill).start()
        found = drawn_clusters(executor, n_draws=150)
        assert second.wait(10) == -signal.SIGKILL
        assert len(executor.client.nthreads()) == 1
    assert found == drawn_clusters(SERIAL, n_draws=150)


def test_a_worker_that_dies_while_what_chunks_share_is_spread_changes_nothing(executor, monkeypatch):
    """The scheduler then raises this: it picks two of the workers that it no longer has."""

    def spread(futures):
        raise ValueError("Sample larger than population or is negative")

    monkeypatch.setattr(executor.client, "replicate", spread)
    assert executor.map(abs, [-1, 2, -3]) == [1, 2, 3]


def test_a_worker_that_dies_while_it_is_asked_what_it_is_made_of_is_passed_over(executor, monkeypatch):
    from distributed.comm.core import CommClosedError

    answers = {"tcp://dead:1": CommClosedError("in <TCP>"), "tcp://alive:1": facts()}
    monkeypatch.setattr(executor.client, "run", lambda *_, **__: answers)
    cluster._refuse_others(executor.client)
    answers["tcp://other:1"] = ModuleNotFoundError("No module named 'evalkit'")
    with pytest.raises(InputError, match=r"tcp://other:1 cannot load evalkit"):
        cluster._refuse_others(executor.client)


def test_projects_that_were_done_are_not_done_again_when_their_worker_dies(tmp_path):
    """Of two workers one is killed when six quick projects are done: only the slow one that it was at is begun anew."""
    notes = tmp_path / "begun.txt"
    tasks = [Task(slug=slug, project_file=notes, data=None, out=tmp_path / "outputs") for slug in (*"abcdef", "slow")]
    with processes(tmp_path) as (file, (_, *workers)):
        heard = KillsOnce(notes, {worker.pid: worker for worker in workers})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cluster_fleet, "run_here", noted)
            outcomes = cluster_fleet.ClusterFleet(str(file))(tasks, heard, threading.Event())
    assert [outcome.status for outcome in outcomes] == ["done"] * 7
    begun = [line.split()[0] for line in notes.read_text().splitlines()]
    assert begun.count("slow") == 2
    assert sorted(begun) == [*"abcdef", "slow", "slow"]


class KillsOnce:
    """A watcher that kills the worker of the slow project when the six others have ended."""

    def __init__(self, notes, workers) -> None:
        self._notes, self._workers, self._n = notes, workers, 0

    def event(self, event) -> None:
        pass

    def ended(self, outcome) -> None:
        self._n += 1
        if self._n == 6:
            of_slow = next(line for line in self._notes.read_text().splitlines() if line.startswith("slow "))
            self._workers[int(of_slow.split()[1])].kill()


def test_a_lost_scheduler_is_told_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "REACHED_WITHIN", 2.0)
    monkeypatch.setattr(cluster, "_LOOK_EVERY", 0.5)
    with processes(tmp_path, n_workers=1) as (file, running), dask_executor(str(file)) as executor:
        threading.Timer(0.5, running[0].kill).start()
        began = time.monotonic()
        with pytest.raises(EnvironmentFault, match="connection to the Dask scheduler was lost"):
            executor.map(time.sleep, [60.0])
        assert time.monotonic() - began < 30


def test_a_chunk_that_ends_worker_after_worker_is_told(tmp_path, monkeypatch):
    """Two workers without a nanny to start them again: the chunk ends both, and then there is none."""
    monkeypatch.setattr(cluster, "WORKERS_WITHIN", 1.0)
    monkeypatch.setattr(cluster, "_LOOK_EVERY", 0.5)
    with processes(tmp_path) as (file, _), dask_executor(str(file)) as executor:
        executor.client.wait_for_workers(2, timeout=START_SECONDS)
        with pytest.raises(EnvironmentFault, match="The cluster has had no worker"):
            executor.map(signal.raise_signal, [signal.SIGKILL])


def test_a_scheduler_without_workers_is_refused(tmp_path):
    with (
        processes(tmp_path, n_workers=0) as (file, _),
        pytest.raises(InputError, match=r"no worker for 1 seconds\. Start some: dask worker"),
        connected(str(file), workers_within=1.0),
    ):
        pass


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "127.0.0.1:9"])
def test_a_scheduler_that_does_not_answer_is_refused(address, monkeypatch):
    monkeypatch.setattr(cluster, "REACHED_WITHIN", 1.0)
    began = time.monotonic()
    with pytest.raises(InputError, match="No Dask scheduler answers at"), connected(address):
        pass
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("address", ["nonsense", "no/such/file.json", "tcp://host", "tcp://host:port"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InputError, match="neither an address"), connected(address):
        pass


def test_a_file_of_something_else_is_refused(tmp_path):
    file = tmp_path / "scheduler.json"
    for content in ("", "{}", "[1]", "school,score"):
        file.write_text(content)
        with pytest.raises(InputError, match="no scheduler file"), connected(str(file)):
            pass


def test_without_distributed_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=re.escape("pip install 'evalkit[cluster]'")), connected("tcp://h:1"):
        pass


def test_a_worker_that_differs_is_refused(executor, scheduler, monkeypatch):
    facts.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr("platform.python_version", lambda: "3.10.1")
        patch.setattr("evalkit.__version__", "0.0.9")
        said = r"Python is .* there and 3\.10\.1 here; evalkit is .* there and 0\.0\.9 here"
        with pytest.raises(InputError, match=said), connected(str(scheduler)):
            pass
        with pytest.raises(InputError, match=said):  # as does one that joined after the connection was made
            executor.map(abs, [1])
    facts.cache_clear()


def test_what_differs_is_named():
    here = {"Python": "3.11.7", "numpy": "2.4.6"}
    assert differences(here, dict(here)) == []
    assert differences(here, {"Python": "3.12.1"}) == [
        "Python is 3.12.1 there and 3.11.7 here",
        "numpy is missing there and 2.4.6 here",
    ]
    require_same(here, here, "w")
    with pytest.raises(InputError, match=r"requirements\.lock"):
        require_same(here, {}, "w")
