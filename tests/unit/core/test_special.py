"""Special functions come without the rest of their library, are the library's own, and leave it whole."""

import subprocess
import sys

import pytest
from scipy import special as whole

from evalkit.core.scipy_parts import special
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


@pytest.mark.parametrize("code", [ALONE, BESIDE_A_THREAD], ids=["alone", "beside a thread"])
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
