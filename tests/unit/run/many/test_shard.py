"""Parts of the projects: each project in one part, whatever their number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.errors import InputError
from evalkit.run.many.task import Shard


def test_the_second_of_three_parts():
    # of a b c d e f g h: the 2nd, the 5th and the 8th
    assert Shard.parsed("2/3").take("abcdefgh") == ["b", "e", "h"]
    assert Shard.parsed(" 1 / 1 ").take("abc") == ["a", "b", "c"]
    assert Shard.parsed("3/3").take("ab") == []


@given(st.lists(st.integers()), st.integers(1, 40))
def test_the_parts_together_hold_each_thing_once(things, of):
    parts = [Shard(number, of).take(things) for number in range(1, of + 1)]
    assert sorted(thing for part in parts for thing in part) == sorted(things)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0"])
def test_a_part_there_is_not(text):
    with pytest.raises(InputError, match=f"There is no part {text}. (Parts are counted from 1 to 4|There must be)"):
        Shard.parsed(text)


@pytest.mark.parametrize("text", ["x", "", "1", "1/", "-1/4", "1.5/2", "1/2/3", "1/9999999999"])
def test_a_text_that_is_no_part(text):
    with pytest.raises(InputError, match=r"is no part of the projects\. Write which part of how many, such as 2/5"):
        Shard.parsed(text)
