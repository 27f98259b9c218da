"""A command ends at once when it is done, with its exit code, and loses nothing of what it printed."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT


def left(code: str, **options) -> subprocess.CompletedProcess[str]:
    """Run a program that ends with `leave`."""
    program = f"import sys\nfrom evalkit.run.cli import leave\n{code}\n"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": buffered} | options
    return subprocess.run([sys.executable, "-c", program], text=True, check=False, cwd=ROOT, timeout=60, **options)


@pytest.mark.parametrize("code", [0, 1, 130])
def test_all_that_was_printed_is_there_and_the_exit_code(code):
    ran = left(f"print('x' * 100_000); print('said', file=sys.stderr); leave({code})")
    assert (ran.returncode, len(ran.stdout), ran.stderr) == (code, 100_001, "said\n")


def test_what_waits_for_the_end_is_done():
    ran = left("import atexit; atexit.register(print, 'at the end'); print('done'); leave(0)")
    assert ran.stdout == "done\nat the end\n"


def test_threads_are_waited_for():
    ran = left(
        "import threading, time\n"
        "def work():\n    time.sleep(0.3); print('worked')\n"
        "threading.Thread(target=work).start(); leave(3)"
    )
    assert (ran.returncode, ran.stdout) == (3, "worked\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_an_error():
    with open("/dev/full", "w") as full:
        ran = left("print('lost'); leave(0)", stdout=full)
    assert ran.returncode == 3
    assert ran.stderr == "evalkit: The output could not be written. Is the disk full?\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_reader_that_has_gone_is_no_traceback():
    reading, writing = os.pipe()
    os.close(reading)
    ran = left("print('lost'); leave(0)", stdout=writing)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, "")
