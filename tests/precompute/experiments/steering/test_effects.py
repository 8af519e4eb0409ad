"""Vectors added in a real (random) causal model: what must hold whatever it knows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from precompute.experiments.bench import Bench
from precompute.experiments.steering.continuing import continued
from precompute.experiments.steering.effects import (
    Damage,
    Effect,
    added,
    added_everywhere,
    last_activations,
    prompt_pieces,
)
from precompute.splicing import instead

PROMPTS = ("The country of the north is", "A cat is", "In the city of the sea, people speak of the")


@pytest.fixture(scope="module", name="bench")
def _bench(benches) -> Bench:
    return benches("gpt2")


@pytest.fixture(scope="module", name="damage")
def _damage(bench) -> Damage:
    return Damage(bench, contexts=12, tokens=16)


def _unembedding(bench: Bench, token: int) -> torch.Tensor:
    return normalize(bench.language_model.token_directions[token], dim=0)


def test_strength_zero_changes_nothing(bench, damage):
    nothing = torch.zeros(2, damage.model.place.d_in)
    assert (damage.of(nothing) == 0).all()
    assert (Effect(bench, PROMPTS, frozenset({5, 6})).of(nothing) == 0).all()


def test_what_is_added_is_what_the_activations_differ_by(bench):
    model = bench.spliced(prompt_pieces(bench, PROMPTS))
    rows, generator = model.rows(), torch.Generator().manual_seed(0)
    vector = torch.randn(rows.shape[1], generator=generator)
    by_hand = model.next_logits(instead(rows + vector))
    torch.testing.assert_close(
        model.next_logits(added_everywhere(vector)), by_hand, atol=1e-5, rtol=1e-5
    )
    each = vector.expand(len(rows), -1)
    torch.testing.assert_close(model.next_logits(added(each)), by_hand, atol=1e-5, rtol=1e-5)


def test_the_vector_is_its_reconstruction_and_what_the_sae_leaves_out(bench):
    sae, model = bench.sae("sae-48"), bench.spliced(prompt_pieces(bench, PROMPTS))
    sides = last_activations(bench, PROMPTS[:2]), last_activations(bench, PROMPTS[2:])
    vector = sides[0].mean(0) - sides[1].mean(0)
    acts = [sae.encode(side).mean(0) for side in sides]
    rebuilt = (acts[0] - acts[1]) @ sae.W_dec
    errors = [(side - sae.decode(sae.encode(side))).mean(0) for side in sides]
    both = added_everywhere(rebuilt)
    rest = added_everywhere(errors[0] - errors[1])
    torch.testing.assert_close(
        model.next_logits(lambda own, n: rest(both(own, n), n)),
        model.next_logits(added_everywhere(vector)),
        atol=1e-4,
        rtol=1e-4,
    )


def test_the_last_activations_are_those_of_each_prompt_alone(bench):
    together = last_activations(bench, PROMPTS)
    for own, prompt in zip(together, PROMPTS, strict=True):
        alone = bench.spliced(prompt_pieces(bench, [prompt])).rows()[-1]
        torch.testing.assert_close(own, alone, atol=1e-5, rtol=1e-5)


def test_a_tokens_unembedding_steers_towards_it_and_random_directions_do_not(bench, damage):
    token = 700
    effect = Effect(bench, PROMPTS, frozenset({token}))
    generator = torch.Generator().manual_seed(0)
    random = normalize(torch.randn(20, damage.model.place.d_in, generator=generator), dim=1)
    strong = 4 * damage.length
    planted = effect.of(strong * _unembedding(bench, token)[None]).mean()
    others = effect.of(strong * random).mean(1)
    # it is normed before it is read, so no length lifts this model's logits by more than 0.7
    assert planted > 3 * others.max()
    assert planted > 0


def test_the_effect_is_the_rise_of_the_targets_probability(bench):
    targets = frozenset({30, 31, 700})
    vector = 3 * _unembedding(bench, 700)
    model = bench.spliced(prompt_pieces(bench, PROMPTS))
    chosen = sorted(targets)
    before, after = (
        model.next_logits(splice).softmax(-1)[:, chosen].sum(1)
        for splice in (None, added_everywhere(vector))
    )
    found = Effect(bench, PROMPTS, targets).of(vector[None])[0]
    np.testing.assert_allclose(found, (after - before).numpy(), atol=1e-7)


def test_the_damage_is_the_rise_of_the_cross_entropy(bench, damage):
    vector = 3 * _unembedding(bench, 700)
    pieces = [piece[:16] for piece in bench.heldout(12)]
    model = bench.language_model.model
    rises = []
    for piece in pieces:  # one by one, without padding and without `Damage`
        ids = torch.from_numpy(piece.astype(np.int64))[None]
        with torch.no_grad():
            clean = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
            with damage.model.place.replace(lambda hidden: hidden + vector):
                steered = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        rises.append((clean - steered).gather(1, ids[0, 1:, None])[:, 0])
    found = damage.of(torch.stack([vector, 0 * vector]))
    np.testing.assert_allclose(found[0], torch.cat(rises).numpy(), atol=1e-5)
    assert damage.groups.n_groups == len(pieces)


def test_long_prompts_keep_their_ends(bench):
    long = " ".join(["the"] * 100 + ["north"])
    (piece,) = prompt_pieces(bench, [long], kept_free=4)
    assert len(piece) == bench.config.model.context_size - 2 - 4
    assert bench.language_model.tokenizer.decode([int(piece[-1])]) == "north"


def test_nearly_no_temperature_writes_the_likeliest_tokens(bench):
    pieces = prompt_pieces(bench, PROMPTS)
    none = torch.zeros(len(pieces), bench.language_model.token_directions.shape[1])
    written = continued(bench, pieces, none, np.zeros(3, np.int64), 3, temperature=1e-4)
    special = bench.language_model.tokenizer.all_special_ids
    for piece, own in zip(pieces, written, strict=True):
        ids = torch.from_numpy(piece)[None]
        for token in own:
            with torch.no_grad():
                logits = bench.language_model.model(input_ids=ids).logits[0, -1].clone()
            logits[special] = -torch.inf
            assert logits[token] == pytest.approx(float(logits.max()), abs=1e-4)
            ids = torch.cat([ids, torch.tensor([[token]])], 1)


def test_each_text_has_its_own_vector(bench, damage):
    pieces = prompt_pieces(bench, [PROMPTS[0]] * 3 + [PROMPTS[1]])
    tokens = [700, 30, 700, 31]
    vectors = torch.stack([40 * damage.length * _unembedding(bench, token) for token in tokens])
    vectors[2] = 0
    written = continued(bench, pieces, vectors, np.array([0, 0, 0, 1]), 6, temperature=0.05)
    share = [(own == token).mean() for own, token in zip(written, tokens, strict=True)]
    assert share[0] > 0.5
    assert share[1] > 0.5
    assert share[3] > 0.5
    assert share[2] == 0


def test_texts_of_one_draw_share_their_random_numbers(bench):
    pieces = prompt_pieces(bench, [PROMPTS[0], PROMPTS[1], PROMPTS[0], PROMPTS[0]])
    none = torch.zeros(4, bench.language_model.token_directions.shape[1])
    written = continued(bench, pieces, none, np.array([0, 1, 0, 1]), 8, temperature=1.0)
    assert (written[0] == written[2]).all()
    assert (written[0] != written[3]).any()
    assert not np.isin(written, bench.language_model.tokenizer.all_special_ids).any()
