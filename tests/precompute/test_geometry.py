"""What decoder directions alone say, against brute force."""

from __future__ import annotations

from dataclasses import replace

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
    """37 queries are read in six blocks, 53 keys in five, all but the first of them in three."""
    monkeypatch.setattr(geometry, "QUERY_ROWS", 7)
    monkeypatch.setattr(geometry, "KEY_ROWS", 11)
    monkeypatch.setattr(geometry, "TILE_KEYS", 4)


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
        for column, expected in ((promoted, order[:5]), (suppressed, order[::-1][:5])):
            found = column[row].as_py()
            shown = [model.tokenizer.decode([kept[i]]) for i in expected]
            assert [entry["token"] for entry in found] == shown
            np.testing.assert_allclose(
                [entry["logit"] for entry in found], logits[row, expected], atol=1e-5
            )


def test_directions_of_heads_promote_what_their_output_matrix_writes(language_models):
    model = replace(language_models["gpt2"], place_name="blocks.1.attn.hook_z")
    directions = _unit_rows(9, 32, 3)  # 4 heads of 8
    projection = model.model.get_submodule("transformer.h.1.attn.c_proj")
    with torch.no_grad():
        written = projection(directions) - projection(torch.zeros(1, 32))
    expected = promoted_tokens(written, language_models["gpt2"], 5)
    for found, wanted in zip(promoted_tokens(directions, model, 5), expected, strict=True):
        for row, wanted_row in zip(found.to_pylist(), wanted.to_pylist(), strict=True):
            assert [entry["token"] for entry in row] == [entry["token"] for entry in wanted_row]
            logits = [entry["logit"] for entry in row]
            assert logits == pytest.approx([entry["logit"] for entry in wanted_row], abs=1e-5)


def test_directions_with_no_way_into_the_residual_stream_promote_nothing(language_models):
    model = replace(language_models["gpt2"], place_name="transformer.h.1.mlp.c_fc")
    found = promoted_tokens(_unit_rows(2, 128, 4), model, 5)
    assert [column.to_pylist() for column in found] == [[[], []], [[], []]]


def test_a_direction_of_one_token_promotes_that_token_first(language_models):
    model = language_models["bert"]
    river = model.tokenizer.convert_tokens_to_ids("river")
    vector = model.token_directions[river] - model.token_directions.mean(0)
    promoted, _ = promoted_tokens((vector / vector.norm())[None], model, 3)
    assert promoted[0].as_py()[0]["token"] == "river"


@pytest.mark.parametrize(("n", "laid_out"), [(10, 1000), (120, 1000), (240, 100)])
def test_the_map_is_finite_repeatable_and_keeps_clusters_together(monkeypatch, n, laid_out):
    """Of 240 directions t-SNE lays out 100, the others are put beside them."""
    monkeypatch.setattr(geometry, "MOST_MAPPED", laid_out)
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


@pytest.mark.usefixtures("small_blocks")
def test_close_cosines_are_told_apart_although_the_first_product_cannot():
    """Keys a thousandth of a cosine apart: bfloat16 has steps of four thousandths there."""
    turns = torch.arange(40) * 2e-3 + 0.7
    keys = torch.stack([turns.cos(), turns.sin(), torch.zeros(40)], dim=1)
    shuffled = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    indices, _ = nearest(torch.tensor([[1.0, 0.0, 0.0]]), keys[shuffled], 12, same=False)
    assert shuffled[indices[0]].tolist() == list(range(12))


def test_of_equal_cosines_the_smaller_index_comes_first():
    indices, _ = nearest(torch.eye(3)[:1], torch.eye(3).repeat(4, 1), 6, same=False)
    assert indices[0].tolist() == [0, 3, 6, 9, 1, 2]


@pytest.mark.usefixtures("small_blocks")
def test_a_direction_outside_the_sample_lies_where_those_like_it_lie(monkeypatch):
    """Ten copies of each of twenty directions: whichever copies are laid out, the others join."""
    monkeypatch.setattr(geometry, "MOST_MAPPED", 150)
    rows = _unit_rows(20, 16, 6).repeat_interleave(10, dim=0)
    positions = map_positions(rows, seed=0).reshape(20, 10, 2)
    within = np.linalg.norm(positions - np.median(positions, axis=1, keepdims=True), axis=2)
    between = np.linalg.norm(positions[:, None, 0] - positions[None, :, 0], axis=2)
    assert np.median(within) < 0.1 * np.median(between)
