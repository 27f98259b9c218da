"""Numerical kernels of what could be wrong: arrays in, numbers out."""

from evalkit.diagnose.arrays.moments import weighted_mean, weighted_variance

__all__ = ["weighted_mean", "weighted_variance"]
