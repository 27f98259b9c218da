"""The processes of a worker: all are found, measured without counting twice, and ended."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from evalkit.run.processes.isolated import Family

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
TREE = """
import subprocess, sys, time
hold = "held = bytearray(b'1') * (60 << 20); print('held', flush=True); import time; time.sleep(60)"
children = [subprocess.Popen([sys.executable, "-c", hold], stdout=-1, start_new_session=new) for new in (False, True)]
for child in children:
    child.stdout.readline()
print(*(child.pid for child in children), flush=True)
time.sleep(60)
"""


@pytest.fixture
def tree():
    command = [sys.executable, "-c", TREE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        children = [int(word) for word in process.stdout.readline().split()]
        yield process, children
        Family(process.pid).end()


def test_children_are_found_in_the_group_and_out_of_it(tree):
    process, children = tree
    assert [found.pid for found in Family(process.pid).look()] == sorted([process.pid, *children])


def test_memory_is_that_of_all(tree):
    # two children hold 60 MB each; three interpreters add some 10 MB each, less what they share
    assert 120 < Family(tree[0].pid).memory_mb() < 200


def test_all_end_though_the_first_has_ended_before(tree):
    process, children = tree
    family = Family(process.pid)
    family.look()
    process.kill()
    process.wait()
    family.end()
    assert not [pid for pid in children if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]


def test_a_process_that_is_no_more_has_no_family():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    family = Family(process.pid)
    assert family.look() == []
    assert family.memory_mb() == 0
    began = time.monotonic()
    family.end()
    assert time.monotonic() - began < 1
