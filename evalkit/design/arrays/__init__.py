"""Numerical kernels of the design room: arrays in, arrays out."""
