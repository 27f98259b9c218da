"""Numerical kernels of the estimate room: arrays in, arrays out; no tables."""
