"""Where every area stood before the programme: what pooling several projects needs of each report."""

from __future__ import annotations

import numpy as np

from evalkit.design.labels import NEIGHBOURS
from evalkit.diagnose.evaluation import AreaBaselines
from evalkit.diagnose.results import Results
from evalkit.estimate.area_effects import effects_by_area
from evalkit.estimate.sample import changes_to, levels_before


def area_baselines(results: Results, code: str) -> AreaBaselines:
    """Return level, gap and schools of every area that has an effect on an outcome in the main comparison.

    The schools and weights are those of the effects; `code` may be a contrast, whose levels are differences.
    """
    project, found = results.project, results.outcomes[code]
    design = results.locked.outcomes[code.split("-")[0]]
    areas = found.areas[NEIGHBOURS, "post"]
    changes = found.weighed(changes_to(found.panel, project.exposure, project.exposure.post))
    before = found.weighed(levels_before(found.panel, project.exposure)).keep(changes.units)
    compared = effects_by_area(
        before, design.comparisons[NEIGHBOURS], design.treated_group, project.pool.minimum_area_schools
    )
    gaps = compared.without(set(compared.groups.tolist()) - set(areas.groups.tolist()))
    groups = [before.group == group for group in areas.groups]
    levels = [float(np.average(before.change[own], weights=before.weight[own])) for own in groups]
    return AreaBaselines(
        pre_means=tuple(levels),
        baseline_gaps=tuple(gaps.effects.tolist()),
        n_schools=tuple(areas.n.tolist()),
        pre=project.exposure.pre,
        post=project.exposure.post,
    )
