"""What decoder directions alone say, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute import geometry
from precompute.geometry import map_positions, nearest, promoted_tokens


def _unit_rows(n: int, d: int, seed: int) -> torch.Tensor:
    rows = torch.randn(n, d, generator=torch.Generator().manual_seed(seed))
    return rows / rows.norm(dim=1, keepdim=True)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """37 queries are read in six blocks."""
    monkeypatch.setattr(geometry, "QUERY_ROWS", 7)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("same", [True, False])
def test_nearest_equals_a_full_sort_of_all_cosines(same):
    queries = _unit_rows(37, 5, 0)
    keys = queries if same else _unit_rows(53, 5, 1)
    indices, cosines = nearest(queries, keys, 4, same)
    every = queries.double().numpy() @ keys.double().numpy().T
    assert indices.shape == cosines.shape == (37, 4)
    for row in range(37):
        others = [i for i in range(len(keys)) if not (same and i == row)]
        expected = sorted(others, key=lambda i: -every[row, i])[:4]
        assert indices[row].tolist() == expected
        np.testing.assert_allclose(cosines[row], every[row, expected], atol=1e-6)


@pytest.mark.usefixtures("small_blocks")
def test_a_latent_is_never_its_own_neighbour_but_a_twin_is():
    rows = _unit_rows(20, 5, 0)
    twins = torch.cat([rows, rows])
    indices, cosines = nearest(twins, twins, 3, same=True)
    assert indices[:, 0].tolist() == [*range(20, 40), *range(20)]
    np.testing.assert_allclose(cosines[:, 0], 1.0, atol=1e-6)
    assert not (indices == np.arange(40)[:, None]).any()


def test_with_few_keys_there_are_as_many_neighbours_as_there_can_be():
    rows = _unit_rows(3, 5, 0)
    assert nearest(rows, rows, 10, same=True)[0].shape == (3, 2)
    assert nearest(rows, rows, 10, same=False)[0].shape == (3, 3)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_promoted_tokens_equal_brute_force_over_the_vocabulary(language_models, kind):
    model = language_models[kind]
    directions = _unit_rows(9, model.token_directions.shape[1], 2)
    promoted, suppressed = promoted_tokens(directions, model, 5)
    special = set(model.tokenizer.all_special_tokens)
    names = [t for t, _ in sorted(model.tokenizer.get_vocab().items(), key=lambda item: item[1])]
    kept = [i for i, name in enumerate(names) if name not in special]
    assert len(kept) == len(names) - 4
    vectors = model.token_directions.double().numpy()[kept]
    logits = directions.double().numpy() @ (vectors - vectors.mean(0)).T
    assert len(promoted) == len(suppressed) == 9
    for row in range(9):
        order = np.argsort(-logits[row])
        for found, expected in ((promoted[row], order[:5]), (suppressed[row], order[::-1][:5])):
            shown = [model.tokenizer.decode([kept[i]]) for i in expected]
            assert [entry["token"] for entry in found] == shown
            np.testing.assert_allclose(
                [entry["logit"] for entry in found], logits[row, expected], atol=1e-5
            )


def test_a_direction_of_one_token_promotes_that_token_first(language_models):
    model = language_models["bert"]
    river = model.tokenizer.convert_tokens_to_ids("river")
    vector = model.token_directions[river] - model.token_directions.mean(0)
    promoted, _ = promoted_tokens((vector / vector.norm())[None], model, 3)
    assert promoted[0][0]["token"] == "river"


@pytest.mark.parametrize("n", [10, 120])
def test_the_map_is_finite_repeatable_and_keeps_clusters_together(n):
    centres = _unit_rows(2, 16, 4)
    noise = 0.05 * torch.randn(n, 16, generator=torch.Generator().manual_seed(5))
    rows = centres.repeat_interleave(n // 2, dim=0) + noise
    positions = map_positions(rows, seed=0)
    assert positions.shape == (n, 2)
    assert positions.dtype == np.float32
    assert np.isfinite(positions).all()
    assert np.array_equal(positions, map_positions(rows, seed=0))
    one, other = positions[: n // 2], positions[n // 2 :]
    spread = max(np.linalg.norm(p - p.mean(0), axis=1).mean() for p in (one, other))
    assert np.linalg.norm(one.mean(0) - other.mean(0)) > 2 * spread
