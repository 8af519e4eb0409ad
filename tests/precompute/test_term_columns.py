"""Terms as columns: what a page lists, in the order it lists it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from backend.tables.columns import TOKEN_LOGIT
from backend.tables.evidence import TERMS
from precompute import term_columns
from precompute.term_columns import labels_of, promotes_index, ranked_index, term_lists
from precompute.terms import TermScores, label_of, top_terms

WORDS = ["einstein", "bohr", "the", "rare"]
TOTALS = np.array([10, 5, 80, 5])


def _scores(pairs: list[tuple[int, int, float]]) -> TermScores:
    """Latent, word and score of each pair, in the order `score_terms` gives."""
    ordered = sorted(pairs, key=lambda pair: (pair[0], -pair[2], pair[1]))
    latent, word, score = (np.array(column) for column in zip(*ordered, strict=True))
    return TermScores(latent, word, score, score / 2, score / 4, score * 10, latent + 1)


def test_a_latents_terms_are_listed_in_double_precision_and_the_silent_have_none():
    scores = _scores([(0, 1, 0.3), (0, 0, 0.1 + 0.2), (3, 2, 1 / 3)])
    lists = term_lists(scores, WORDS, n_latents=5)
    assert lists.to_pylist() == top_terms(scores, WORDS, n_latents=5, n_terms=9)
    assert [len(own) for own in lists.to_pylist()] == [2, 0, 0, 1, 0]
    assert lists[3].as_py()[0]["score"] == 1 / 3  # as a label's source compares it with 0.5


def test_labels_are_those_of_each_latent_however_many_are_done_at_once(monkeypatch):
    scores = _scores([(0, 0, 0.7), (1, 1, 0.3), (1, 2, 0.29), (4, 3, 0.1)])
    lists = term_lists(scores, WORDS, n_latents=6)
    expected = [label_of(own) for own in lists.to_pylist()]
    assert [label.text for label in expected] == ["einstein", "bohr, the", "", "", "rare", ""]
    for at_once in (1, 4, 100):
        monkeypatch.setattr(term_columns, "LABELS_AT_ONCE", at_once)
        assert labels_of(lists) == expected


def test_the_fires_index_lists_the_best_latents_of_each_word():
    scores = _scores([(0, 1, 0.3), (1, 1, 0.9), (2, 1, 0.3), (3, 1, 0.1), (3, 0, 0.5)])
    table = ranked_index("sae-4", "fires", scores, WORDS, TOTALS, 3)
    assert table.schema == TERMS.arrow
    rows = {row["term"]: row for row in table.to_pylist()}
    assert list(rows) == ["einstein", "bohr"]
    bohr = rows["bohr"]
    assert (bohr["sae_id"], bohr["index"], bohr["count"]) == ("sae-4", "fires", 5)
    assert bohr["n_latents"] == 4  # before the list was cut
    # of equal scores the smaller latent comes first
    assert [found["latent"] for found in bohr["latents"]] == [1, 0, 2]
    best = bohr["latents"][0]
    assert [best[name] for name in ("score", "precision", "recall", "lift")] == pytest.approx(
        [0.9, 0.45, 0.225, 9.0]
    )


def test_the_promotes_index_lists_the_latents_that_promote_a_token_most():
    promoted = [
        [{"token": "sky", "logit": 1.0}, {"token": "sea", "logit": 0.5}],
        [{"token": "sky", "logit": 3.0}],
        [],
        [{"token": "sky", "logit": 2.0}, {"token": "air", "logit": -1.0}],
    ]
    table = promotes_index("sae-4", pa.array(promoted, pa.list_(TOKEN_LOGIT.arrow)), 2)
    assert table.schema == TERMS.arrow
    rows = {row["term"]: row for row in table.to_pylist()}
    assert {term: row["n_latents"] for term, row in rows.items()} == {"sky": 3, "sea": 1, "air": 1}
    sky = rows["sky"]
    assert (sky["index"], sky["count"]) == ("promotes", 0)
    assert [(found["latent"], found["score"]) for found in sky["latents"]] == [(1, 3.0), (3, 2.0)]
    assert {found["precision"] for found in sky["latents"]} == {None}
    assert rows["air"]["latents"][0]["score"] == -1.0


def test_without_pairs_and_without_tokens_the_indexes_are_empty():
    none = TermScores(*(np.empty(0, kind) for kind in (int, int, *[float] * 4, int)))
    assert ranked_index("sae-4", "fires", none, WORDS, TOTALS, 3).num_rows == 0
    assert promotes_index("sae-4", pa.array([[], []], pa.list_(TOKEN_LOGIT.arrow)), 3).num_rows == 0
    assert term_lists(none, WORDS, 2).to_pylist() == [[], []]
