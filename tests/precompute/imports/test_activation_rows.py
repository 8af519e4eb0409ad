"""Which token of a stored activation the example is about, and which examples are kept."""

from __future__ import annotations

from typing import Any

import pytest

from precompute.imports.activation_rows import FieldNames, keep_activation
from precompute.imports.foreign import ForeignLatent
from precompute.imports.token_texts import TokenTexts

NAMES = FieldNames("bin_min", "bin_max", "qualifying_token_index")


def kept(*rows: dict[str, Any]) -> ForeignLatent:
    latent, texts = ForeignLatent(), TokenTexts()
    for row in rows:
        keep_activation(latent, row, NAMES, texts)
    return latent


def example(low: float, high: float, chosen: Any, values: list[float]) -> dict[str, Any]:
    tokens = [f"{low}-{at}" for at in range(len(values))]
    return {
        "bin_min": low,
        "bin_max": high,
        "qualifying_token_index": chosen,
        "tokens": tokens,
        "values": values,
    }


def test_a_bin_from_minus_one_is_the_strongest_group_and_its_peak_the_strongest_token():
    [found] = kept(example(-1, 99, 0, [1.0, 0.0, 3.0])).examples
    assert (found.group, found.peak) == ("top", 2)


def test_the_chosen_token_of_a_bin_is_one_after_the_stored_index():
    """Stored 0 means token 1, whose 1.4 lies in the bin; the strongest token is another."""
    [found] = kept(example(1.0, 2.0, 0, [1.5, 1.4, 9.0])).examples
    assert (found.group, found.peak) == ("1 to 2", 1)


def test_a_token_stored_as_it_is_is_found_too():
    [found] = kept(example(1.0, 2.0, 1, [9.0, 1.4, 0.0])).examples
    assert found.peak == 1


@pytest.mark.parametrize("chosen", [3, 5, -7, None, "1", 1.0])
def test_a_chosen_token_outside_the_bin_or_the_text_gives_way_to_the_strongest(chosen):
    [found] = kept(example(1.0, 2.0, chosen, [1.5, 0.5, 1.9, 0.1])).examples
    assert found.peak == 2


def test_the_three_strongest_are_kept_and_one_of_each_of_two_bins():
    latent = kept(
        *(example(-1, 99, 0, [0.0, strength]) for strength in (1.0, 4.0, 2.0, 3.0, 5.0)),
        *(example(low, low + 0.5, 0, [0.0, low + 0.1]) for low in (0.5, 1.0, 1.5)),
    )
    found = [(each.group, each.values[each.peak]) for each in latent.examples]
    # tokens of the first five are the same text, so only the first that came is kept of them
    assert found == [("top", 1.0), ("1.5 to 2", 1.6), ("1 to 1.5", 1.1)]
    assert latent.max_activation == 5.0


def test_texts_that_differ_are_ranked():
    rows = []
    for at, strength in enumerate((1.0, 4.0, 2.0, 3.0, 5.0)):
        rows.append(example(-1, 99, 0, [0.0, strength]) | {"tokens": ["a", str(at)]})
    assert [each.values[1] for each in kept(*rows).examples] == [5.0, 4.0, 3.0]


def test_a_long_text_is_cut_around_its_peak():
    values = [0.0] * 40 + [2.0] + [0.5] * 60
    [found] = kept(example(-1, 99, 0, values)).examples
    assert (len(found.tokens), found.peak) == (25, 12)
    assert found.tokens[0] == "-1-28"
    assert found.values[found.peak] == 2.0


@pytest.mark.parametrize(
    "row",
    [
        {"tokens": ["a"], "values": [1.0, 2.0]},
        {"tokens": [], "values": []},
        {"tokens": "a", "values": [1.0]},
        {"tokens": ["a"], "values": None},
        {"tokens": ["a"], "values": [0.0]},
    ],
)
def test_rows_that_say_nothing_are_passed_over(row):
    assert kept(row).examples == []
