"""Activations belong to ordinary tokens only, and a stopped harvest goes on where it stopped."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from precompute import harvest as harvest_module
from precompute.config import ConfigError, ModelConfig
from precompute.harvest import activations_of, harvest
from precompute.sources import LanguageModel
from precompute.text import SPLITS, TokenisedText, special_token_frame, tokenise
from precompute.textcache import load_text, save_text
from tests.precompute.small_text import small_config

CPU = torch.device("cpu")
ROOM = {"bert": 14, "gpt2": 16}  # of 16 tokens, an encoder spends two on [CLS] and [SEP]


@pytest.fixture(scope="module")
def texts(language_models: dict[str, LanguageModel], text_folder: Path) -> dict[str, TokenisedText]:
    return {
        kind: tokenise(small_config(f"random:{kind}"), model, text_folder)
        for kind, model in language_models.items()
    }


def _hidden_states(
    language_model: LanguageModel, piece: np.ndarray, layer: int, prepend_bos: bool = False
) -> torch.Tensor:
    """`hidden_states[layer]` at the ordinary tokens of one context, alone and without padding."""
    before, after = special_token_frame(language_model.tokenizer, prepend_bos)
    ids = torch.from_numpy(np.concatenate([before, piece, after])).long()[None]
    with torch.no_grad():
        output = language_model.model(input_ids=ids, output_hidden_states=True)
    return output.hidden_states[layer][0, len(before) : len(before) + len(piece)]


@pytest.mark.parametrize(("kind", "layer"), [("bert", 1), ("bert", 2), ("gpt2", 1)])
def test_rows_are_the_hidden_states_of_each_context_alone(
    tmp_path, language_models, texts, kind, layer
):
    model, text = language_models[kind], texts[kind]
    config = small_config(f"random:{kind}", layer).model
    for split in SPLITS:
        rows = harvest(config, model, text, split, tmp_path, CPU)
        pieces = [text.token_ids[text.starts[c] : text.starts[c + 1]] for c in text.splits[split]]
        lengths = {len(piece) for piece in pieces[: config.batch_contexts]}
        assert len(lengths) > 1  # a batch pads its short contexts
        expected = torch.cat([_hidden_states(model, piece, layer) for piece in pieces])
        assert len(rows) == len(expected) == len(text.row_tokens(split))
        torch.testing.assert_close(
            torch.from_numpy(np.array(rows)).float(), expected, rtol=2e-3, atol=2e-3
        )


def test_after_the_last_block_of_a_causal_model_rows_come_before_the_final_norm(
    tmp_path, language_models, texts
):
    model, text = language_models["gpt2"], texts["gpt2"]
    rows = harvest(small_config("random:gpt2", 2).model, model, text, "heldout", tmp_path, CPU)
    first = text.splits["heldout"][0]
    piece = text.token_ids[text.starts[first] : text.starts[first + 1]]
    residual = torch.from_numpy(np.array(rows[: len(piece)])).float()
    with torch.no_grad():
        normed = model.model.get_submodule("transformer.ln_f")(residual)
    torch.testing.assert_close(normed, _hidden_states(model, piece, 2), rtol=5e-3, atol=5e-3)


def test_a_beginning_of_text_token_is_seen_by_the_model_but_is_no_row(
    tmp_path, language_models, texts
):
    plain = language_models["gpt2"]
    tokenizer = copy.deepcopy(plain.tokenizer)
    tokenizer.bos_token = "the"  # any word of the vocabulary will do
    model, text = replace(plain, tokenizer=tokenizer), texts["gpt2"]
    config = small_config("random:gpt2").model.model_copy(update={"prepend_bos": True})
    rows = harvest(config, model, text, "heldout", tmp_path, CPU)
    pieces = [text.token_ids[text.starts[c] : text.starts[c + 1]] for c in text.splits["heldout"]]
    expected = torch.cat([_hidden_states(model, piece, 1, True) for piece in pieces])
    torch.testing.assert_close(
        torch.from_numpy(np.array(rows)).float(), expected, rtol=2e-3, atol=2e-3
    )
    without = torch.cat([_hidden_states(model, piece, 1) for piece in pieces])
    assert (expected - without).abs().max() > 0.05
    with pytest.raises(ConfigError, match="prepend_bos"):
        special_token_frame(plain.tokenizer, True)


def test_rows_of_another_place_are_as_wide_as_it_is(tmp_path, language_models, texts):
    model, text = language_models["gpt2"], texts["gpt2"]
    config = ModelConfig(
        source="random:gpt2", hook="blocks.1.mlp.hook_post", context_size=16, bfloat16=False
    )
    rows = harvest(config, model, text, "heldout", tmp_path, CPU)
    assert rows.shape == (len(text.row_tokens("heldout")), 4 * 32)
    # the GELU of a small model with 32 dimensions, read in its output: hardly any value below 0
    assert -0.2 < rows.min() < 0 < rows.max()


def test_centred_rows_have_their_own_mean_taken_away(language_models, texts):
    model, text = language_models["gpt2"], texts["gpt2"]  # an encoder's last norm centres already
    config = small_config("random:gpt2").model
    centred = config.model_copy(update={"centred": True})
    rows, moved = (activations_of(c, model, [text.token_ids[:9]], CPU) for c in (config, centred))
    expected = rows.float() - rows.float().mean(1, keepdim=True)
    assert rows.float().mean(1).abs().max() > 0.001
    torch.testing.assert_close(moved.float(), expected, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_no_special_token_is_among_the_tokens(language_models, texts, kind):
    tokenizer, text = language_models[kind].tokenizer, texts[kind]
    frame_and_padding = {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id}
    assert not frame_and_padding & set(text.token_ids.tolist())
    before, after = special_token_frame(tokenizer, False)
    framed = kind == "bert"
    assert before.tolist() == [tokenizer.cls_token_id] * framed
    assert after.tolist() == [tokenizer.sep_token_id] * framed


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_contexts_fill_the_room_and_never_cross_a_document(
    language_models, texts, small_documents, kind
):
    text = texts[kind]
    tokenizer = language_models[kind].tokenizer
    expected = []
    for document in small_documents:
        ids = tokenizer(document, add_special_tokens=False)["input_ids"]
        expected += [ids[i : i + ROOM[kind]] for i in range(0, len(ids), ROOM[kind])]
    assert len(text.starts) == len(expected) + 1
    for i, ids in enumerate(expected):
        assert text.token_ids[text.starts[i] : text.starts[i + 1]].tolist() == ids
    assert text.corpus_documents == {"own": len(small_documents)}
    assert text.corpus_tokens == {"own": sum(map(len, expected))}


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
def test_splits_are_disjoint_by_document_and_near_the_share(
    language_models, text_folder, small_documents, share
):
    model = language_models["bert"]
    text = tokenise(small_config(heldout_share=share), model, text_folder)
    lengths = [len(model.tokenizer.tokenize(document)) for document in small_documents]
    document_of = np.repeat(range(len(lengths)), [-(-n // ROOM["bert"]) for n in lengths])
    train, heldout = text.splits["train"], text.splits["heldout"]
    assert sorted([*train, *heldout]) == list(range(len(document_of)))
    assert not set(document_of[train]) & set(document_of[heldout])
    tokens = len(text.row_tokens("heldout"))
    # documents are added while they fit, so less than the shortest one left out is lacking
    shortest_out = min(lengths[i] for i in set(document_of[train]))
    assert share * sum(lengths) - shortest_out < tokens <= share * sum(lengths)
    assert train.tolist() != sorted(train)  # shuffled, so that reading in order mixes


class _Stopped(Exception):
    """Stands for a kill."""


def test_a_stopped_harvest_gives_the_same_bytes_as_an_undisturbed_one(
    tmp_path, language_models, texts, monkeypatch
):
    model, text, config = language_models["bert"], texts["bert"], small_config().model
    harvest(config, model, text, "train", tmp_path / "whole", CPU)
    n_batches = -(-len(text.splits["train"]) // config.batch_contexts)
    assert n_batches > 6
    calls = 0
    plain = harvest_module.activations_of

    def stopping(*arguments: object) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 6:
            raise _Stopped
        return plain(*arguments)  # pyright: ignore[reportArgumentType] - passed through

    monkeypatch.setattr(harvest_module, "SAFE_EVERY_BATCHES", 2)
    monkeypatch.setattr(harvest_module, "activations_of", stopping)
    with pytest.raises(_Stopped):
        harvest(config, model, text, "train", tmp_path / "stopped", CPU)
    harvest(config, model, text, "train", tmp_path / "stopped", CPU)
    # batches 1 to 5 ran, 4 of them were safe; then 5 to the last
    assert calls == 6 + n_batches - 4
    whole, stopped = (tmp_path / name / "train.npy" for name in ("whole", "stopped"))
    assert whole.read_bytes() == stopped.read_bytes()
    harvest(config, model, text, "train", tmp_path / "stopped", CPU)
    assert calls == 6 + n_batches - 4  # a finished one computes nothing


def test_room_on_disk_is_taken_before_the_first_row(tmp_path, language_models, texts, monkeypatch):
    """A memory map over a hole of a file would die without a word on a disk that fills up."""

    def stopped(*_arguments: object) -> torch.Tensor:
        raise _Stopped

    monkeypatch.setattr(harvest_module, "activations_of", stopped)
    with pytest.raises(_Stopped):
        harvest(
            small_config().model, language_models["bert"], texts["bert"], "train", tmp_path, CPU
        )
    state = (tmp_path / "train.npy").stat()
    assert state.st_blocks * 512 >= state.st_size > 100_000


def test_row_tokens_follow_the_reading_order_of_a_split(texts):
    text = texts["bert"]
    expected = [
        token
        for context in text.splits["train"]
        for token in range(text.starts[context], text.starts[context + 1])
    ]
    assert text.row_tokens("train").tolist() == expected


def test_text_on_disk_comes_back_unchanged(tmp_path, texts):
    assert load_text(tmp_path) is None
    save_text(texts["bert"], tmp_path)
    loaded = load_text(tmp_path)
    assert loaded is not None
    for name in ("token_ids", "word_ids", "new_word", "starts"):
        assert np.array_equal(getattr(loaded, name), getattr(texts["bert"], name)), name
    for name in ("words", "shown", "corpus_documents", "corpus_tokens"):
        assert getattr(loaded, name) == getattr(texts["bert"], name), name
    for split in SPLITS:
        assert np.array_equal(loaded.splits[split], texts["bert"].splits[split])
