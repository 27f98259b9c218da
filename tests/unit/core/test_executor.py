"""Chunks whose size and streams do not depend on who carries them out."""

import zlib

import numpy as np
import pytest

from evalkit.core.draws import SERIAL, chunk_seeds, draws_in_chunks, in_pieces, pieces, stream


@pytest.mark.parametrize(("n_draws", "sizes"), [(99, [25, 25, 25, 24]), (100, [25] * 4), (7, [7]), (0, [])])
def test_draws_are_cut_into_chunks_of_one_size(n_draws, sizes):
    assert [chunk.n for chunk in draws_in_chunks(1, "a name", n_draws, 25)] == sizes


def numbers(chunks):
    return [chunk.stream().integers(0, 1_000_000, 3).tolist() for chunk in chunks]


def test_each_chunk_has_a_stream_of_its_own_that_stays():
    chunks = draws_in_chunks(1, "a name", 100, 25)
    drawn = numbers(chunks)
    assert len({tuple(row) for row in drawn}) == 4
    assert numbers(chunks) == drawn  # asked for again, a stream is at its beginning
    assert numbers(draws_in_chunks(1, "a name", 250, 25))[:4] == drawn  # more draws leave the first ones as they were
    assert numbers(draws_in_chunks(2, "a name", 100, 25)) != drawn
    assert numbers(draws_in_chunks(1, "another", 100, 25)) != drawn


def test_chunks_are_children_of_the_named_stream():
    """The documented derivation: SeedSequence([seed, crc32(name)]), child i with spawn key (i,)."""
    [first, second] = chunk_seeds(7, "a name", 2)
    assert (first.spawn_key, second.spawn_key) == ((0,), (1,))
    assert list(first.entropy) == [7, zlib.crc32(b"a name")]
    assert stream(7, "a name").integers(0, 10**9) == np.random.default_rng(
        np.random.SeedSequence([7, zlib.crc32(b"a name")])
    ).integers(0, 10**9)


def test_pieces_hold_everything_once_in_order():
    assert pieces([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert [part.tolist() for part in pieces(np.arange(6).reshape(3, 2), 2)] == [[[0, 1], [2, 3]], [[4, 5]]]
    assert pieces([], 3) == []
    assert in_pieces(SERIAL, lambda part: [2 * one for one in part], [1, 2, 3], 2) == [2, 4, 6]
