"""How far trends may have parted, by what was seen before a programme, before a result no longer stands.

- `permuted_bounds`: How large a parting of trends one treated area's rank, or a list's among sets, would bear:
  breakdown by permutation.
- `permuted_bounds_arrays`: Kernels of bounds by permutation: years to effect and steps, and every stand-in placed at
  once for many biases.
"""
