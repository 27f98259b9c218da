"""Sizes of schools in two arms, and what they make of the variance of a standardised effect (Hedges, 2007)."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.core.errors import DesignError


@dataclass(frozen=True, slots=True)
class ClusterSizes:
    """Pupils of each school, by arm; at least two schools in each arm, each with at least one pupil."""

    treated: tuple[int, ...]
    comparison: tuple[int, ...]

    def __post_init__(self) -> None:
        if min(len(self.treated), len(self.comparison)) < 2:
            raise DesignError("A cluster-adjusted effect size needs at least two schools in each arm.")
        if min(*self.treated, *self.comparison) < 1:
            raise DesignError("Every school needs at least one pupil. Leave empty schools out.")
        if self.n <= self.n_clusters + 1:
            raise DesignError("Schools need more than one pupil each for a spread within schools.")

    @classmethod
    def equal(cls, n_treated: int, n_comparison: int, pupils: int) -> ClusterSizes:
        """Return arms of so many schools with the same number of pupils each."""
        return cls((pupils,) * n_treated, (pupils,) * n_comparison)

    @property
    def n(self) -> int:
        """Return N, the number of pupils."""
        return sum(self.treated) + sum(self.comparison)

    @property
    def n_clusters(self) -> int:
        """Return M, the number of schools."""
        return len(self.treated) + len(self.comparison)

    def mean_variance(self, icc: float) -> float:
        """Return Var(difference of means)/σ_T² = (NT + NC)/(NT NC) · (1 + (ñ − 1)ρ).

        ñ = NC Σ nT²/(NT N) + NT Σ nC²/(NC N), n for schools of equal size.
        """
        nt, nc = sum(self.treated), sum(self.comparison)
        size = nc * _power(self.treated, 2) / (nt * self.n) + nt * _power(self.comparison, 2) / (nc * self.n)
        return self.n / (nt * nc) * (1 + (size - 1) * icc)

    def total_factor(self, icc: float) -> float:
        """Return E(S²)/σ_T² for S² pooled over all pupils within arms.

        1 − ρ((N − ñ_T m_T − ñ_C m_C) + ñ_T + ñ_C − 2)/(N − 2), ñ_g = (N_g² − Σn²)/(N_g(m_g − 1));
        1 − 2(n − 1)ρ/(N − 2) for schools of equal size.
        """
        return self._expected(icc) / (self.n - 2)

    def total_df(self, icc: float) -> float:
        """Return h = [(N − 2) − 2(n − 1)ρ]²/[(N − 2)(1 − ρ)² + Aρ² + 2Bρ(1 − ρ)].

        For schools of equal size A = n(N − 2n) and B = N − 2n; in general A = Σ_g [N_g² Σn² + (Σn²)² − 2 N_g Σn³]/N_g²
        and B = Σ_g ñ_g(m_g − 1). h is 2E²/Var of the sum of squares behind S² (Satterthwaite).
        """
        return self._expected(icc) ** 2 / self._spread(icc)

    def total_variance(self, icc: float, d: float) -> float:
        """Return Var(d_T) = (NT + NC)/(NT NC)(1 + (ñ − 1)ρ) + d²[(N − 2)(1 − ρ)² + Aρ² + 2Bρ(1 − ρ)] / {2(N − 2)E}.

        E = (N − 2) − ρ(N − 2 − B), which is (N − 2) − 2(n − 1)ρ for schools of equal size; A and B as in `total_df`.
        """
        return self.mean_variance(icc) + d**2 * self._spread(icc) / (2 * (self.n - 2) * self._expected(icc))

    def _expected(self, icc: float) -> float:
        """Return the expected sum of squares within arms over σ_T²."""
        between = sum(_balanced(sizes) * (len(sizes) - 1) for sizes in (self.treated, self.comparison))
        return (self.n - 2) * (1 - icc) + between * icc

    def _spread(self, icc: float) -> float:
        """Return half the variance of the sum of squares within arms over σ_T⁴."""
        arms = (self.treated, self.comparison)
        between = sum(_balanced(sizes) * (len(sizes) - 1) for sizes in arms)
        squared = sum(_squared(sizes) for sizes in arms)
        return (self.n - 2) * (1 - icc) ** 2 + squared * icc**2 + 2 * between * icc * (1 - icc)


def _power(sizes: tuple[int, ...], power: int) -> int:
    return sum(size**power for size in sizes)


def _balanced(sizes: tuple[int, ...]) -> float:
    """Return ñ_g, the size of equal schools that would weigh alike."""
    n = sum(sizes)
    return (n**2 - _power(sizes, 2)) / (n * (len(sizes) - 1))


def _squared(sizes: tuple[int, ...]) -> float:
    n, squares, cubes = sum(sizes), _power(sizes, 2), _power(sizes, 3)
    return (n**2 * squares + squares**2 - 2 * n * cubes) / n**2
