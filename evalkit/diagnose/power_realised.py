"""The least effect that errors clustered by area could have detected, as the analysis turned out."""

from __future__ import annotations

from scipy import special

from evalkit.core.quantities import Quantity, Unavailable
from evalkit.design.power import multiplier
from evalkit.estimate.effect import Effect

TOO_FEW_AREAS = Unavailable("Too few other areas could be analysed the same way.")
PART_OF_ONE_AREA = Unavailable(
    "The listed schools are part of one area, and no error can allow for what happens to an area."
)
_NO_ERROR = Unavailable("The areas moved exactly alike, so that there is no error to reckon with.")


def detectable_by_clusters(effect: Effect | None) -> Quantity:
    """Return M × SE with the degrees of freedom that the effect's interval used, for a power of 80%.

    The degrees of freedom follow from half the interval over the standard error; normal quantiles from 100 on.
    """
    if effect is None:
        return PART_OF_ONE_AREA
    if isinstance(effect.interval, Unavailable):
        return effect.interval
    if isinstance(effect.std_error, Unavailable):
        return effect.std_error
    level, reach = effect.interval.level, (effect.interval.upper - effect.interval.lower) / 2
    if effect.std_error <= 0 or reach <= effect.std_error * special.ndtri(0.5 + level / 2):
        return _NO_ERROR if effect.std_error <= 0 else multiplier(None, level) * effect.std_error
    df = float(special.stdtridf(0.5 + level / 2, reach / effect.std_error))
    return multiplier(df, level) * effect.std_error
