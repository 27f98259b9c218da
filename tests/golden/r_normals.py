"""The standard normals that R draws after `set.seed(seed)`: Mersenne Twister, turned by inversion.

As R documents them (?RNG); `set.seed(0); rnorm(1)` is 1.262954.
"""

import numpy as np
from scipy.special import ndtri

_BIG = 134_217_728  # 2^27: the first of two numbers gives the leading bits
_WORDS = 624


def r_normals(seed, shape):
    """Return an array of R's `rnorm`, filled row by row."""
    scrambled = seed
    for _ in range(50):
        scrambled = (69069 * scrambled + 1) % 2**32
    words = []
    for _ in range(_WORDS + 1):
        scrambled = (69069 * scrambled + 1) % 2**32
        words.append(scrambled)
    generator = np.random.MT19937()
    key = np.array(words[1:], dtype=np.uint32)  # the first word is a position, which R sets to the end
    generator.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": _WORDS}}
    uniform = generator.random_raw(2 * int(np.prod(shape))) * 2.3283064365386963e-10
    leading = np.floor(_BIG * uniform[0::2])
    return ndtri((leading + uniform[1::2]) / _BIG).reshape(shape)
