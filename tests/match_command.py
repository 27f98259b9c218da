"""`evalkit match` inside the test's own process."""

import contextlib
import io
from pathlib import Path

from evalkit.core.errors import EvalkitError
from evalkit.run import cli
from tests.did_command import Ran

LALONDE = ("--treated", "treat", "--on", "age,educ,race,married,nodegree,re74,re75", "--id", "id", "--outcome", "re78")
SCHOOLS = (
    "--treated",
    "treat",
    "--on",
    "n_pupils,pct_fsm,pct_eal,pct_sen,idaci,ofsted,ks2_2016,ks2_2017",
    "--id",
    "urn",
    "--outcome",
    "ks2_2019",
)


def run_match(path: Path, *options: str) -> Ran:
    """Run the command on a file and return what it printed; an error that no one foresaw fails the test."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.done(cli.parsed(["match", str(path), *options]))
        except EvalkitError as problem:
            print(problem, file=err)
            code = problem.exit_code
    return Ran(code, out.getvalue(), err.getvalue())


__all__ = ["LALONDE", "SCHOOLS", "run_match"]
