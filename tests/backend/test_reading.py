"""Sums over a text are those of the planted decompositions, worked out by hand."""

from __future__ import annotations

import pytest

from backend.own_text import components, fired_latents, text_saes, usual_metas
from backend.reading import (
    LONGEST_TEXT,
    Token,
    clean_text,
    pooled_latents,
    pooled_metas,
    strongest_share,
)
from backend.store import Run
from tests.planted import DEAD, META, TOKENS_SEEN, WIDE, fire_count, weights

# einstein (0) on the first token; berlin (1) on both; the dead latent on the second
TOKENS = [Token(0, 8, (0, 1), (1.0, 0.5)), Token(9, 15, (1, DEAD), (1.5, 0.2))]


def test_only_saes_with_encoders_can_read_and_decomposed_ones_come_first(run: Run) -> None:
    rows = [(row["sae_id"], row["has_encoder"], row["meta_sae_id"]) for row in text_saes(run)]
    assert rows == [(WIDE, True, META), ("sae-8", False, None)]


def test_latents_come_by_index_and_unknown_ones_are_left_out(run: Run) -> None:
    found = fired_latents(run, WIDE, [1, 0, 99, -3, 2**40])
    assert sorted(found) == [0, 1]
    assert found[1]["label"] == "berlin"
    assert found[1]["max_activation"] == 2.0
    assert fired_latents(run, "nope' --", [1]) == {}
    assert fired_latents(run, WIDE, []) == {}


def test_components_are_the_planted_ones_heaviest_first(run: Run) -> None:
    found = components(run, META, [0, 1, 30])
    named = {
        latent: [(part["label"], round(part["activation"], 3)) for part in parts]
        for latent, parts in found.items()
    }
    assert named == {
        0: [("scientist", 0.6), ("german", 0.5), ("words in e-", 0.4)],
        1: [("city", 0.7), ("german", 0.6)],
    }  # latent 30 has none


def test_the_usual_weight_is_the_mean_over_all_tokens(run: Run) -> None:
    found = usual_metas(run, WIDE, META)
    for meta_latent in range(4):
        # a mean activation of 1.0, but 0 for the dead latent, which fires on no token anyway
        total = sum(
            fire_count(WIDE, latent) / TOKENS_SEEN * weights(latent)[meta_latent]
            for latent in range(32)
        )
        assert found[meta_latent] == pytest.approx(total, rel=1e-5)


def test_pooled_latents_keep_their_strongest_token(run: Run) -> None:
    rows = pooled_latents(TOKENS, fired_latents(run, WIDE, [0, 1, DEAD]))
    kept = [(r["label"], r["activation"], r["share"], r["position"], r["n_tokens"]) for r in rows]
    assert kept == [
        ("berlin", 1.5, 0.75, 1, 2),  # 1.5 / 2.0
        ("einstein", 1.0, 0.5, 0, 1),
        ("", 0.2, None, 1, 1),  # dead: it never fired, so there is no maximum
    ]


def test_pooled_metas_are_means_over_tokens(run: Run) -> None:
    rows = pooled_metas(TOKENS, components(run, META, [0, 1, DEAD]), usual_metas(run, WIDE, META))
    found = {row["label"]: row for row in rows}
    # einstein 1.0, berlin 0.5 + 1.5 = 2.0, the dead one 0.2 (0.5 city); two tokens
    expected = {
        "german": (1.0 * 0.5 + 2.0 * 0.6) / 2,
        "scientist": 1.0 * 0.6 / 2,
        "words in e-": 1.0 * 0.4 / 2,
        "city": (2.0 * 0.7 + 0.2 * 0.5) / 2,
    }
    assert {k: row["weight"] for k, row in found.items()} == pytest.approx(expected, rel=1e-5)
    assert [found[name]["n_latents"] for name in expected] == [2, 1, 1, 2]
    german = found["german"]
    assert german["ratio"] == pytest.approx(german["weight"] / german["usual"])
    excess = [row["weight"] - row["usual"] for row in rows]
    assert excess == sorted(excess, reverse=True)


def test_a_meta_latent_that_is_never_usual_has_no_ratio() -> None:
    parts = {0: [{"meta_latent": 7, "label": "x", "activation": 0.5}]}
    (row,) = pooled_metas([Token(0, 1, (0,), (2.0,))], parts, {})
    assert (row["weight"], row["usual"], row["ratio"]) == (1.0, 0.0, None)


def test_the_strongest_share_is_not_that_of_the_largest_activation(run: Run) -> None:
    latents = fired_latents(run, WIDE, [0, 1])
    latents[0]["max_activation"] = 10.0
    assert strongest_share(TOKENS[0], latents) == 0.25  # berlin 0.5 / 2, einstein 1 / 10
    assert strongest_share(Token(0, 1, (), ()), latents) == 0.0


@pytest.mark.parametrize(
    ("typed", "text", "is_cut"),
    [
        ("plain", "plain", False),
        ("a\r\nb\tc", "a\nb\tc", False),
        ("a\x00b\x1b[31m\x7f", "a b [31m ", False),
        ("\u202eabc\u200d", "\u202eabc\u200d", False),
        ("\ud800", "?", False),
        ("a" * LONGEST_TEXT, "a" * LONGEST_TEXT, False),
        ("a" * (LONGEST_TEXT + 1), "a" * LONGEST_TEXT, True),
        ("🙂" * 10_000_000, "🙂" * LONGEST_TEXT, True),
        ("\r\n" * LONGEST_TEXT, "\n" * LONGEST_TEXT, False),
        ("\r\n" * (LONGEST_TEXT + 1), "\n" * LONGEST_TEXT, True),
        (None, "", False),
    ],
    ids=[
        "plain",
        "lines",
        "control",
        "direction",
        "surrogate",
        "fits",
        "one more",
        "huge",
        "breaks",
        "many breaks",
        "none",
    ],
)
def test_typed_text_is_cut_and_keeps_what_a_language_needs(
    typed: object, text: str, is_cut: bool
) -> None:
    assert clean_text(typed) == (text, is_cut)
