"""Roots are those of scipy to the last bit, found without loading the rest of it."""

import math
import subprocess
import sys

import pytest
from scipy import optimize

from evalkit.core.scipy_parts import brentq
from tests.conftest import ROOT

FUNCTIONS = [
    (lambda x: x * x - 2, 0.0, 2.0),
    (lambda x: math.exp(x) - 3 * x, 0.0, 1.0),
    (lambda x: math.tanh(x - 0.3), -1.0, 2.0),
]


@pytest.mark.parametrize(("function", "low", "high"), FUNCTIONS)
@pytest.mark.parametrize("options", [{}, {"xtol": 1e-4}, {"xtol": 1e-13, "rtol": 1e-14, "maxiter": 500}])
def test_a_root_is_that_of_scipy(function, low, high, options):
    assert brentq(function, low, high, **options) == optimize.brentq(function, low, high, **options)


def test_signs_that_do_not_differ_and_missing_values_are_refused():
    with pytest.raises(ValueError, match="different signs"):
        brentq(lambda x: x * x + 1, 0.0, 1.0)
    with pytest.raises(ValueError, match="no value"):
        brentq(lambda x: math.nan, 0.0, 1.0)
    with pytest.raises(RuntimeError, match="converge"):
        brentq(lambda x: x**3 - 2, 0.0, 2.0, maxiter=2)


def test_nothing_else_of_the_library_is_loaded():
    code = (
        "import sys; from evalkit.core.scipy_parts import brentq; print(brentq(lambda x: x - 1, 0, 3));"
        "assert 'scipy.optimize' not in sys.modules; from scipy import optimize;"
        "assert optimize.brentq(lambda x: x - 1, 0, 3) == 1 and optimize.nnls"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (ran.returncode, ran.stdout) == (0, "1.0\n"), ran.stderr
