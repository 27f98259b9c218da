"""A report says where the rank of an area is a conservative test, and how wide its interval then is."""

from dataclasses import replace

from report_fixture import make_evaluation

from evalkit.report.tables.effects import inference


def ranked_among(n_areas):
    evaluation = make_evaluation()
    effects = tuple(
        effect
        if effect.permutation is None
        else replace(effect, permutation=replace(effect.permutation, n_areas=n_areas, smallest_p=1 / n_areas))
        for effect in evaluation.effects
    )
    return " ".join(inference(replace(evaluation, effects=effects)).table.notes)


def test_few_areas_are_said_to_be_conservative_with_the_half_length():
    evaluation = make_evaluation()
    interval = evaluation.effect(evaluation.project.primary.measure).interval
    half = (interval.upper - interval.lower) / 2
    assert f"The half-length of its 95% interval is {half:.2f}" in ranked_among(36)
    assert "36 results to rank" in ranked_among(36)


def test_all_areas_of_england_are_not():
    assert "conservative" not in ranked_among(149)
