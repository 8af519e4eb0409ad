"""Counts from the streaming pass equal a loop over every token, whatever the blocks."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
import torch

from precompute import activations
from precompute.activations import Firings, all_firings, firings
from precompute.counting import Counts, Scale, checked_units, count_firings
from precompute.dictionary import Dictionary
from precompute.histograms import histograms
from precompute.passes import sums
from precompute.terms import score_terms
from precompute.text import TokenisedText, tokenise
from tests.precompute.small_text import small_config

D_IN, N_LATENTS, THRESHOLD = 8, 12, 0.4
QUIET = 3  # a latent that never fires


@pytest.fixture(scope="module")
def text(language_models, text_folder) -> TokenisedText:
    return tokenise(small_config(), language_models["bert"], text_folder)


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    generator = torch.Generator().manual_seed(0)
    bias = torch.full((N_LATENTS,), -0.3)
    bias[QUIET] = -100.0
    return Dictionary(
        W_enc=torch.randn(D_IN, N_LATENTS, generator=generator) / D_IN**0.5,
        b_enc=bias,
        W_dec=torch.eye(N_LATENTS, D_IN),
        b_dec=torch.zeros(D_IN),
        threshold=THRESHOLD,
    )


@pytest.fixture(scope="module")
def row_tokens(text: TokenisedText) -> np.ndarray:
    return text.row_tokens("train")


@pytest.fixture(scope="module")
def rows(row_tokens: np.ndarray) -> np.ndarray:
    """Random rows; the later ones are stronger, so that the first block's maximum is exceeded."""
    rng = np.random.default_rng(1)
    growth = np.linspace(0.7, 2.0, len(row_tokens))[:, None]
    return (growth * rng.normal(size=(len(row_tokens), D_IN))).astype(np.float16)


@pytest.fixture(params=[17, 64, 10_000], ids=lambda n: f"blocks of {n}")
def block_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """17 cuts words and contexts; 10,000 rows are a single block."""
    monkeypatch.setattr(activations, "BLOCK_ROWS", request.param)
    return request.param


@pytest.fixture
def counts(dictionary, text, rows, row_tokens, block_rows) -> Counts:  # noqa: ARG001 - sets blocks
    blocks = firings(dictionary, rows, bfloat16=False, title="test")
    return count_firings(blocks, text, row_tokens, N_LATENTS, THRESHOLD)


def _dense(dictionary: Dictionary, rows: np.ndarray) -> np.ndarray:
    return dictionary.encode(torch.from_numpy(rows).float()).numpy()


def _histogram(counts: Counts, latent: int, n_bins: int) -> tuple[list[float], list[int]]:
    totals = counts.totals
    every = range(len(totals.count))
    found = histograms(counts.scale, counts.bins, every, totals.max_activation, n_bins)
    return found.edges[latent].as_py(), found.counts[latent].as_py()


def _occurrences(
    text: TokenisedText, row_tokens: np.ndarray, block_rows: int
) -> list[tuple[str, list[int]]]:
    """Each word's occurrence with its rows; a block that starts inside a word drops that part."""
    found: list[tuple[str, list[int]]] = []
    is_open = False
    for row, token in enumerate(row_tokens):
        at_jump = row % block_rows == 0 or token != row_tokens[row - 1] + 1
        if text.new_word[token]:
            is_open = text.word_ids[token] >= 0
            if is_open:
                found.append((text.words[text.word_ids[token]], []))
        elif at_jump:
            is_open = False
        if is_open:
            found[-1][1].append(row)
    return found


def test_firings_are_the_entries_above_the_threshold(dictionary, rows, block_rows):
    acts = _dense(dictionary, rows)
    found = all_firings(dictionary, rows, "test")
    row, latent = acts.nonzero()
    assert found.rows.tolist() == row.tolist()
    assert found.latents.tolist() == latent.tolist()
    np.testing.assert_allclose(found.activations, acts[row, latent], rtol=1e-5)
    sizes = [n for n, _ in firings(dictionary, rows, bfloat16=False, title="test")]
    assert sizes[0] == min(block_rows, len(rows))
    assert sum(sizes) == len(rows)


def test_totals_of_each_latent_equal_those_of_the_dense_matrix(counts, dictionary, rows):
    acts = _dense(dictionary, rows)
    totals = counts.totals
    assert totals.tokens_seen == len(rows)
    assert totals.count.tolist() == (acts > 0).sum(0).tolist()
    assert totals.count[QUIET] == 0
    assert (np.delete(totals.count, QUIET) > 20).all()
    np.testing.assert_allclose(totals.units * counts.scale.unit, acts.sum(0), rtol=1e-5)
    np.testing.assert_allclose(totals.max_activation, acts.max(0), rtol=1e-5)


@pytest.mark.parametrize("n_bins", [1, 5, 24, 1000])
def test_histograms_hold_every_firing_between_threshold_and_maximum(
    counts, dictionary, rows, n_bins
):
    acts = _dense(dictionary, rows)
    for latent in range(N_LATENTS):
        edges, bins = _histogram(counts, latent, n_bins)
        if latent == QUIET:
            assert (edges, bins) == ([], [])
            continue
        assert len(edges) == len(bins) + 1 <= n_bins + 1
        assert (np.diff(edges) > 0).all()
        assert edges[0] == pytest.approx(THRESHOLD)
        assert edges[-1] == pytest.approx(acts[:, latent].max(), rel=1e-5)
        edges[-1] += 1e-5  # the maximum itself belongs to the last bin
        expected, _ = np.histogram(acts[acts[:, latent] > 0, latent], edges)
        assert sum(bins) == counts.totals.count[latent]
        assert bins == expected.tolist()


def test_words_are_counted_once_an_occurrence_at_their_strongest_piece(
    counts, dictionary, text, rows, row_tokens, block_rows
):
    acts = _dense(dictionary, rows)
    occurrences = _occurrences(text, row_tokens, block_rows)
    assert any(len(own) > 5 for _, own in occurrences)  # words of several pieces
    total = Counter(word for word, _ in occurrences)
    n_on: Counter[tuple[int, str]] = Counter()
    strength: defaultdict[tuple[int, str], float] = defaultdict(float)
    for word, own in occurrences:
        for latent, strongest in enumerate(acts[own].max(0)):
            if strongest > 0:
                n_on[latent, word] += 1
                strength[latent, word] += float(strongest)
    words = counts.words
    keys = [
        (int(latent), text.words[word])
        for latent, word in zip(words.pair_latent, words.pair_word, strict=True)
    ]
    assert dict(zip(keys, words.pair_count.tolist(), strict=True)) == dict(n_on)
    np.testing.assert_allclose(words.pair_sum, [strength[key] for key in keys], rtol=1e-5)
    assert {w: n for w, n in zip(text.words, words.word_total, strict=True) if n} == dict(total)
    for latent in range(N_LATENTS):
        own = [key for key in n_on if key[0] == latent]
        assert words.latent_count[latent] == sum(n_on[key] for key in own)
        assert words.latent_sum[latent] == pytest.approx(sum(strength[key] for key in own), 1e-5)


def test_precision_and_recall_never_exceed_one(counts):
    scores = score_terms(counts.words, min_term_count=1)
    assert len(scores.score) > 50
    for name in ("score", "precision", "recall"):
        values = getattr(scores, name)
        assert values.min() > 0, name
        assert values.max() <= 1, name


def test_merging_early_changes_nothing(counts, dictionary, text, rows, row_tokens, monkeypatch):
    monkeypatch.setattr(sums, "MERGE_ROWS", 10)
    blocks = firings(dictionary, rows, bfloat16=False, title="test")
    merged = count_firings(blocks, text, row_tokens, N_LATENTS, THRESHOLD).words
    for name, values in vars(counts.words).items():
        assert np.array_equal(getattr(merged, name), values), name


def test_a_pass_without_any_firing_counts_words_all_the_same(text, rows, row_tokens, dictionary):
    silent = dictionary.with_threshold(1e6)
    blocks = firings(silent, rows, bfloat16=False, title="test")
    counts = count_firings(blocks, text, row_tokens, N_LATENTS, 1e6)
    assert not counts.totals.count.any()
    assert counts.words.word_total.sum() > 100
    assert len(counts.words.pair_latent) == 0
    assert _histogram(counts, 0, 24) == ([], [])


def test_a_silent_first_block_does_not_squeeze_the_histograms(text, row_tokens):
    """The bins follow the first block that fires."""
    threshold, acts = 2.0, np.linspace(2.1, 6.0, 40, dtype=np.float32)
    nothing = Firings(*(np.empty(0, kind) for kind in (np.int64, np.int64, np.float32)))
    something = Firings(np.arange(40), np.zeros(40, np.int64), acts)
    counts = count_firings([(40, nothing), (40, something)], text, row_tokens[:80], 1, threshold)
    edges, bins = _histogram(counts, 0, 8)
    assert (np.diff(edges) > 0).all()
    assert sum(bins) == 40
    assert max(bins) <= 10  # evenly spread activations fill at least five bins evenly


def test_bfloat16_activations_are_summed_up_without_any_rounding():
    """Eight significant bits: from 2^-19 of the maximum on, a whole number of units."""
    values = torch.rand(20_000, generator=torch.Generator().manual_seed(3)) ** 4 * 37.5
    acts = values[values > 37.5 * 2**-19].to(torch.bfloat16).float().numpy()
    scale = Scale.of(0.0, float(acts.max()))
    units = scale.units(acts)
    assert np.array_equal(units * scale.unit, acts.astype(np.float64))
    assert 2**26 <= units.max() < 2**27


def test_a_firing_too_weak_for_a_unit_counts_for_one():
    """So that no latent that fires has a sum of 0, by which shares are divided."""
    scale = Scale.of(0.0, 1.0)
    assert scale.units(np.array([1e-30, 2**-26, 1.0], np.float32)).tolist() == [1, 1, 2**26]


def test_sums_that_might_not_fit_into_64_bits_are_refused(text, row_tokens):
    """First 1, then 2^40: 40 rows of it are 40 * 2^66 units."""
    blocks = [
        (40, Firings(np.arange(40), np.zeros(40, np.int64), np.full(40, strength, np.float32)))
        for strength in (1.0, 2.0**40)
    ]
    with pytest.raises(RuntimeError, match="too large to be summed up"):
        count_firings(blocks, text, row_tokens[:80], 1, 0.5)
    counts = count_firings(blocks[:1], text, row_tokens[:40], 1, 0.5)
    checked_units(counts.totals)
    assert counts.totals.units.tolist() == [40 * 2**26]
