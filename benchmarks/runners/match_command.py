"""The whole command: `evalkit match FILE … --json` as a process of its own, from its start to its answer in full."""

import contextlib
import json
import resource
import subprocess
import sys
import tempfile

from common import clock, hold_to_memory, tell
from matching import COVARIATES


def command(data):
    roles = ["--treated", "treated", "--on", ",".join(COVARIATES), "--id", "id", "--outcome", "outcome"]
    return [sys.executable, "-m", "evalkit", "match", data, *roles, "--json"]


def main() -> None:
    """Run it on the file that the command line names and print its figures as the last line."""
    hold_to_memory()
    figures = {}
    with tempfile.TemporaryFile("w+") as output, contextlib.redirect_stdout(sys.stderr):
        with clock(figures, "work"):
            ended = subprocess.run(command(sys.argv[1]), stdout=output, stderr=subprocess.PIPE, text=True, check=False)
        if ended.returncode:
            sys.exit((ended.stderr.splitlines() or ["it said nothing"])[-1])
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        output.seek(0)
        answer = json.load(output)
    figures["work_cpu"] = used.ru_utime + used.ru_stime
    nothing = {f"{part}_{kind}": 0.0 for part in ("import", "read", "intake", "step") for kind in ("cpu", "wall")}
    found = {
        "total_distance": answer["total_distance"],
        "effect": answer["effect"]["estimate"],
        "n_treated": answer["n"]["treated_matched"],
        "n_comparison": answer["n"]["comparison_matched"],
    }
    tell(nothing | figures | {"peak_mb": used.ru_maxrss / 1024} | found)


if __name__ == "__main__":
    main()
