"""The main comparison is found in one way."""

from types import SimpleNamespace

from evalkit.estimate.effect import MAIN, find_effect


def effect(outcome="READPROG", design="neighbours", period="post", inference="permutation"):
    return SimpleNamespace(outcome=outcome, design=design, period=period, inference=inference)


def test_the_main_effect_is_against_neighbours_in_the_years_after_by_permutation():
    effects = (
        effect(inference="cluster"),
        effect(period="2019"),
        effect(design="england"),
        effect(),
        effect("MATPROG"),
    )
    assert find_effect(effects, "READPROG") is effects[3]
    assert find_effect(effects, "MATPROG") is effects[4]
    assert MAIN == ("neighbours", "post")


def test_another_comparison_and_inference_are_found_by_name_and_nothing_where_none_is():
    effects = (effect(), effect(design="england"), effect(inference="cluster"))
    assert find_effect(effects, "READPROG", ("england", "post")) is effects[1]
    assert find_effect(effects, "READPROG", inference="cluster") is effects[2]
    assert find_effect(effects, "READPROG", ("matched", "post")) is None
