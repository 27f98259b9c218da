"""Special functions, roots and ranks are scipy's own to the last bit, without its packages, and leave these whole."""

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import optimize
from scipy import special as whole
from scipy.stats import rankdata

from evalkit.core import scipy_parts
from evalkit.core.scipy_parts import brentq, compiled_part, mean_ranks, special
from tests.conftest import ROOT

ALONE = """
import sys
from evalkit.core.scipy_parts import special
assert "scipy.special" not in sys.modules and "numpy.f2py" not in sys.modules
quantile = special.ndtri(0.975)
import scipy
assert scipy.special.ndtri(0.975) == quantile
assert scipy.special.logsumexp([0.0]) == 0
assert scipy.special.stdtr(3, 0) == 0.5
from scipy import stats
print(quantile)
"""
BESIDE_A_THREAD = """
import sys, threading
waiting = threading.Event()
threading.Thread(target=waiting.wait, daemon=True).start()
from evalkit.core.scipy_parts import special
assert "scipy.special" in sys.modules and special is sys.modules["scipy.special._ufuncs"]
print(special.ndtri(0.975))
"""
NEEDS_ITS_PACKAGE = """
import sys
class Finder:
    asked = 0
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "scipy.special._ufuncs" and sys.modules["scipy.special"].__doc__ is None:  # its package has not run
            cls.asked += 1
            raise ImportError(name)
sys.meta_path.insert(0, Finder)
from evalkit.core.scipy_parts import special
assert Finder.asked == 1 and sys.modules["scipy.special"].__doc__
assert special is sys.modules["scipy.special._ufuncs"]
import scipy
assert special.ndtri is scipy.special.ndtri and scipy.special.logsumexp([0.0]) == 0
print(special.ndtri(0.975))
"""
BOTH_WAYS = """
import sys
from evalkit.core.scipy_parts import compiled_part, special
assert "scipy.special" not in sys.modules
import scipy.special
assert compiled_part("scipy.special", "_ufuncs") is special
assert special.ndtri is scipy.special.ndtri and special.expit is scipy.special.expit
light = compiled_part("scipy.optimize", "_zeros")
assert "scipy.optimize" not in sys.modules
import scipy.optimize
assert compiled_part("scipy.optimize", "_zeros") is light is scipy.optimize._zeros_py._zeros
print(special.ndtri(0.975))
"""
WAYS = {
    "alone": ALONE,
    "beside a thread": BESIDE_A_THREAD,
    "a part that needs its package": NEEDS_ITS_PACKAGE,
    "both ways": BOTH_WAYS,
}


@pytest.mark.parametrize("code", WAYS.values(), ids=WAYS)
def test_the_functions_are_the_librarys_own_and_the_library_can_still_be_loaded(code):
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.returncode == 0, ran.stderr
    assert float(ran.stdout) == whole.ndtri(0.975)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *(("ndtr", (-1.3,)), ("ndtri", (0.975,)), ("stdtr", (7, -2.1)), ("stdtrit", (7, 0.975))),
        *(("chdtrc", (3, 4.2)), ("chdtri", (3, 0.05)), ("fdtrc", (2, 9, 3.1)), ("stdtridf", (0.975, 2.3))),
    ],
)
def test_every_value_is_that_of_the_whole_library_to_the_last_bit(name, arguments):
    assert getattr(special, name)(*arguments) == getattr(whole, name)(*arguments)


def test_a_package_stands_in_for_a_part_that_it_does_not_have(monkeypatch):
    assert compiled_part("scipy.special", "_of_another_version") is whole
    assert compiled_part("scipy.special", "_of_another_version").ndtri is special.ndtri
    monkeypatch.setattr(scipy_parts, "compiled_part", lambda package, part: optimize)
    scipy_parts._zeros.cache_clear()
    try:
        assert scipy_parts._zeros() is None
        assert brentq(lambda x: x * x - 2, 0.0, 2.0) == optimize.brentq(lambda x: x * x - 2, 0.0, 2.0)
        with pytest.raises(ValueError, match="no value"):
            brentq(lambda x: math.nan, 0.0, 1.0)
    finally:
        scipy_parts._zeros.cache_clear()


# Roots.

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


# Ranks.


def test_equal_values_share_the_mean_of_their_ranks():
    # 1, 1 have ranks 1 and 2; 4, 4, 4 have ranks 4 to 6
    assert mean_ranks(np.array([4.0, 1.0, 4.0, 3.0, 1.0, 4.0])).tolist() == [5.0, 1.5, 5.0, 3.0, 1.5, 5.0]


@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_those_of_scipy(seed):
    random = np.random.default_rng(seed)
    for values in (random.integers(0, 40, 300).astype(float), random.normal(size=301), np.array([]), np.zeros(4)):
        assert np.array_equal(mean_ranks(values), rankdata(values))


def test_a_missing_value_has_no_rank():
    with pytest.raises(ValueError, match="missing"):
        mean_ranks(np.array([1.0, np.nan]))
