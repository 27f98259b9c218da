"""What end-to-end tests ask for: whole runs of the command line."""

from tests.whole_runs import outputs, real_run, synthetic_run

__all__ = ["outputs", "real_run", "synthetic_run"]
