"""Phrases are words in a row, of several documents, and more than function words."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from precompute.config import EvidenceConfig
from precompute.evidence.phrases import (
    FUNCTION_WORDS,
    MIN_DOCUMENTS,
    Phrases,
    association,
    choose_phrases,
    phrase_starts,
)
from precompute.evidence.sample import Sample, documents_of, sample_of, whole_contexts
from tests.precompute.evidence.conftest import dense, in_blocks, occurrences

ALL = EvidenceConfig(min_phrase_count=3, most_phrases=10**6)


def _sample(documents: list[str]) -> tuple[Sample, list[str]]:
    """Documents of words and full stops, one context each, one token a word."""
    names = sorted({word for text in documents for word in text.split()} - {"."})
    units = [(i, word) for i, text in enumerate(documents) for word in text.split()]
    is_word = np.array([word != "." for _, word in units])
    follows = [
        i > 0 and units[i - 1][0] == units[i][0] and bool(is_word[i - 1]) for i in range(len(units))
    ]
    sample = Sample(
        token_ids=np.zeros(len(units), np.int32),
        context_ends=np.cumsum([len(text.split()) for text in documents]),
        occurrence=np.where(is_word, np.cumsum(is_word) - 1, -1),
        word=np.array([names.index(word) for _, word in units if word != "."]),
        document=np.array([i for i, _ in units])[is_word],
        follows=np.array(follows)[is_word],
    )
    return sample, names


def _chosen(documents: list[str], config: EvidenceConfig = ALL) -> list[str]:
    sample, names = _sample(documents)
    return choose_phrases([sample], names, config).names(names)


def test_a_phrase_is_as_frequent_as_asked_and_in_three_documents():
    assert MIN_DOCUMENTS == 3
    # river bank: three documents; sea shore: three times, but in two documents only
    documents = ["river bank . sea shore . sea shore", "river bank", "river bank . sea shore"]
    assert _chosen(documents) == ["river bank"]
    assert _chosen(documents, ALL.model_copy(update={"min_phrase_count": 4})) == []
    # the parts of a text share no document, so two documents in each are four
    sample, names = _sample(documents[:2])
    assert choose_phrases([sample, sample], names, ALL).names(names) == ["river bank"]


def test_signs_and_ends_of_contexts_stand_between_words():
    assert _chosen(["river . bank", "river . bank", "river . bank"]) == []
    assert _chosen(["river", "bank"] * 5) == []


def test_function_words_alone_are_no_phrase_but_with_others_they_are():
    found = _chosen(["the bank of the river"] * 3)
    assert {"the bank", "bank of", "bank of the", "the river", "the bank of"} <= set(found)
    assert "of the" not in found
    assert {"the", "of"} <= FUNCTION_WORDS
    assert not FUNCTION_WORDS & {"bank", "river", "new", "time"}


def test_content_at_both_ends_comes_first_then_what_is_frequent():
    documents = ["the river . the bank . red fox", "the river . red fox", "the river . the bank"]
    documents = documents * 3 + ["dark red . the fox"] * 3
    config = ALL.model_copy(update={"most_phrases": 2})
    # room for two: four fifths, rounded, go to content words; of those red fox, six times of its
    # nine fox, is tied more closely than dark red; of the others all find room that is left
    assert _chosen(documents, config) == ["dark red", "red fox"]
    config = ALL.model_copy(update={"most_phrases": 3})
    assert _chosen(documents, config) == ["dark red", "red fox", "the river"]


def test_association_is_the_likelihood_ratio_of_the_table():
    # 8 of 10 and of 12, among 100: G2 by scipy from the same 2 x 2 table
    table = [[8, 2], [4, 86]]
    statistic, *_ = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    found = association(np.array([8]), np.array([10]), np.array([12]), 100)
    assert found[0] == pytest.approx(statistic)
    rarer = association(np.array([1]), np.array([50]), np.array([50]), 100)
    assert rarer[0] < 0  # 25 were to be expected


def test_one_phrase_does_not_overlap_itself():
    sample, names = _sample(["ha ha ha", "ha ha ha ha", "a b a b a", "ha ha x ha ha"] * 3)
    phrases = choose_phrases([sample], names, ALL)
    at = phrase_starts(phrases, sample)
    own = phrases.names(names)
    total = Counter(own[i] for found in at.values() for i in found[found >= 0])
    # ha ha ha has one, ha ha ha ha two, ha ha x ha ha two; a b a b a one "a b a"
    assert total["ha ha"] == 3 * (1 + 2 + 2)
    assert total["ha ha ha"] == 3 * 2
    assert total["a b a"] == total["b a b"] == 3  # one a document


def test_phrases_of_the_text_are_those_that_a_loop_finds(text):
    samples = [sample_of(text, part, 10**9) for part in ("choose", "test")]
    count, spread = Counter(), defaultdict(set)
    document = documents_of(text)
    for split in ("train", "heldout"):
        words = occurrences(text, text.splits[split])
        for i in range(len(words)):
            for length in (2, 3):
                own = words[i : i + length]
                if len(own) == length and all(one.follows for one in own[1:]):
                    name = " ".join(one.word for one in own)
                    count[name] += 1
                    spread[name].add(int(document[own[0].context]))
    expected = {
        name
        for name, n in count.items()
        if n >= 3 and len(spread[name]) >= 3 and not set(name.split()) <= FUNCTION_WORDS
    }
    assert len(expected) > 100
    assert set(choose_phrases(samples, text.words, ALL).names(text.words)) == expected
    few = choose_phrases(samples, text.words, ALL.model_copy(update={"most_phrases": 40}))
    assert len(few.words) == 40
    assert set(few.names(text.words)) < expected


def test_no_phrase_is_found_where_there_is_none():
    sample, names = _sample(["alone", "alone", "alone"])
    none = choose_phrases([sample], names, ALL)
    assert len(none.words) == 0
    assert {length: at.tolist() for length, at in phrase_starts(none, sample).items()} == {
        2: [-1] * 3,
        3: [-1] * 3,
    }


def test_a_text_with_too_many_words_for_a_key_is_refused(monkeypatch):
    monkeypatch.setattr("precompute.evidence.phrases.MOST_WORDS", 2)
    sample, names = _sample(["river bank"])
    with pytest.raises(RuntimeError, match="2 words"):
        choose_phrases([sample], names, ALL)


def test_phrases_come_by_length_then_key():
    phrases = Phrases(np.array([[0, 1, -1], [1, 0, -1], [0, 0, 1]]), 2)
    assert phrases.lengths.tolist() == [2, 2, 3]
    assert phrases.names(["a", "b"]) == ["a b", "b a", "a a b"]
    assert [(keys.tolist(), first) for keys, first in map(phrases.keys, (2, 3))] == [
        ([1, 2], 0),
        ([1], 2),
    ]


def test_a_sample_is_whole_contexts_from_the_start_of_its_split(text):
    everything = sample_of(text, "choose", 10**9)
    assert everything.token_ids.tolist() == text.token_ids[text.row_tokens("train")].tolist()
    for most in (1, 14, 15, 200):
        sample = sample_of(text, "choose", most)
        n = sample.n_rows
        assert n in everything.context_ends
        after = everything.context_ends[np.searchsorted(everything.context_ends, n) + 1]
        assert n <= most < after or len(sample.context_ends) == 1
        assert sample.token_ids.tolist() == everything.token_ids[:n].tolist()
        assert sample.occurrence.tolist() == everything.occurrence[:n].tolist()
    heldout = sample_of(text, "test", 10**9)
    assert heldout.token_ids.tolist() == text.token_ids[text.row_tokens("heldout")].tolist()


def test_a_documents_contexts_share_its_number_and_others_have_another(text, small_documents):
    numbers = documents_of(text)
    lengths = np.diff(text.starts)
    assert (np.diff(numbers) >= 0).all()
    # a new number after every context that is not full, and only there
    assert (np.diff(numbers) == (lengths[:-1] < lengths.max())).all()
    assert len(set(numbers.tolist())) <= len(small_documents)


def test_blocks_are_cut_anew_where_contexts_end(text):
    sample = sample_of(text, "choose", 10**9)
    acts = dense(sample.n_rows)
    row, latent = acts.nonzero()
    for size in (1, 5, 40, 10**6):
        blocks = list(whole_contexts(in_blocks(acts, size), sample.context_ends))
        assert np.concatenate([one.rows for one in blocks]).tolist() == row.tolist()
        assert np.concatenate([one.latents for one in blocks]).tolist() == latent.tolist()
        context = np.searchsorted(sample.context_ends, np.arange(sample.n_rows), "right")
        seen = [set(context[one.rows].tolist()) for one in blocks]
        assert all(not one & other for one, other in pairwise(seen))
