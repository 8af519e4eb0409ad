"""Which latents fire: one threshold, one a latent, and the k strongest, in narrow and wide SAEs."""

from __future__ import annotations

import pytest
import torch

from precompute import sparse
from precompute.encoder import Encoder, lowest
from precompute.sparse import DEVICE

D_IN, N_LATENTS, N_ROWS = 7, 50, 33


@pytest.fixture
def rows() -> torch.Tensor:
    return torch.randn(N_ROWS, D_IN, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=["whole rows", "pieces"])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same SAE as a narrow one, and cut into pieces of 13 latents and 4 rows."""
    if request.param == "pieces":
        for rows in ("LEAST_BLOCK_ROWS", "LEAST_TOP_ROWS"):
            monkeypatch.setattr(sparse, rows, 4)
        for entries in ("ENCODE_BLOCK_ENTRIES", "TOP_BLOCK_ENTRIES"):
            monkeypatch.setattr(sparse, entries, 4 * 13)
        small = DEVICE._replace(entries=4 * 13, least_rows=4, multiple=4)
        monkeypatch.setattr(sparse, "DEVICE", small)
    return request.param


@pytest.fixture(params=["host", "device"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What fires is found as on a processor, and, on the same processor, as on any other device."""
    if request.param == "device":
        monkeypatch.setattr(sparse, "HOST_KINDS", frozenset())
    return request.param


def _encoder(threshold: float | torch.Tensor, k: int | None = None) -> Encoder:
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(D_IN, N_LATENTS, generator=generator)
    return Encoder(weights, torch.randn(N_LATENTS, generator=generator), threshold, k)


def _dense(encoder: Encoder, rows: torch.Tensor) -> torch.Tensor:
    """Scores that pass the threshold and are among the k highest of their row that do, else 0."""
    scores = rows @ encoder.weights + encoder.bias
    passed = scores > encoder.threshold
    if encoder.k is not None:
        rank = scores.where(passed, -torch.inf).argsort(1, descending=True).argsort(1)
        passed &= rank < encoder.k
    return scores * passed


@pytest.mark.usefixtures("width")
@pytest.mark.parametrize("k", [None, 1, 5, 49])
@pytest.mark.parametrize("own", [False, True])
def test_active_entries_are_those_of_the_dense_matrix(rows, own, k):
    threshold = torch.linspace(-1.0, 3.0, N_LATENTS) if own else 0.4
    encoder = _encoder(threshold, k)
    positions, scores = encoder.active(rows)
    dense = torch.zeros(N_ROWS * N_LATENTS)
    dense[positions] = scores
    torch.testing.assert_close(dense.view(N_ROWS, -1), _dense(encoder, rows))
    assert bool((positions.diff() > 0).all()), "ascending, so in row order"


@pytest.mark.usefixtures("width")
def test_a_threshold_for_each_latent_is_not_the_lowest_of_them(rows):
    own = torch.linspace(0.0, 3.0, N_LATENTS)
    one, each = (_encoder(t).active(rows)[0] for t in (lowest(own), own))
    assert 0 < len(each) < len(one)


@pytest.mark.usefixtures("width")
def test_nothing_fires_above_every_score(rows):
    for k in (None, 3):
        positions, scores = _encoder(1e9, k).active(rows)
        assert len(positions) == len(scores) == 0


def test_another_precision_keeps_the_rule(rows):
    own = torch.linspace(0.0, 1.0, N_LATENTS)
    half = _encoder(own, 3).to(torch.bfloat16)
    assert half.weights.dtype is torch.bfloat16
    assert half.threshold is own
    positions, _ = half.active(rows.to(torch.bfloat16))
    assert int(torch.bincount(positions // N_LATENTS).max()) <= 3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_a_cut_in_the_scores_precision_lets_the_same_through(dtype):
    """Random cuts, exact ones, and their neighbours, against a comparison in float64."""
    generator = torch.Generator().manual_seed(2)
    cuts = torch.randn(400, generator=generator)
    cuts[100:200] = cuts[100:200].to(dtype).float()
    cuts[200:203] = torch.tensor([0.0, -1.0, 1.0])
    scores = torch.cat([cuts.to(dtype), torch.randn(400, generator=generator).to(dtype)])
    up, down = (torch.full_like(scores, sign * torch.inf) for sign in (1, -1))
    scores = torch.cat([scores, scores.nextafter(up), scores.nextafter(down)])[:, None]
    same = sparse._in_precision_of(dtype, cuts)
    assert same.dtype == dtype
    assert torch.equal(scores > same, scores.double() > cuts.double())


def test_blocks_of_different_sizes_share_their_room(monkeypatch):
    """The last block of rows and of latents is smaller; nothing of the one before shows through."""
    monkeypatch.setattr(sparse, "LEAST_BLOCK_ROWS", 10)
    monkeypatch.setattr(sparse, "ENCODE_BLOCK_ENTRIES", 10 * 30)
    generator = torch.Generator().manual_seed(3)
    inputs, weights = (torch.randn(shape, generator=generator) for shape in ((33, 7), (7, 50)))
    flat, value = sparse.candidates(inputs, weights, torch.zeros(50), 0.5)
    scores = inputs @ weights
    assert torch.equal(flat, (scores.flatten() > 0.5).nonzero().squeeze(1))
    torch.testing.assert_close(value, scores.flatten()[flat])


@pytest.mark.usefixtures("width")
@pytest.mark.parametrize("k", [None, 3])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_is_no_number_does_not_fire(rows, k, sign):
    """Comparisons by bits would call it higher than everything."""
    weights = torch.randn(D_IN, N_LATENTS, generator=torch.Generator().manual_seed(1)).bfloat16()
    bias = torch.zeros(N_LATENTS).bfloat16()
    bias[5] = sign * float("nan")
    positions, values = Encoder(weights, bias, 0.0, k).active(rows.bfloat16())
    assert not values.isnan().any()
    assert 5 not in positions % N_LATENTS
    assert len(positions) > N_ROWS
