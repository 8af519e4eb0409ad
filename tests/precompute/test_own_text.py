"""The real worker on a run with a random model: rows, encoders and firings as in precompute."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.reading import Question, parse_reading
from backend.text_worker import Limits, TextError, TextWorker
from precompute.config import ConfigError
from precompute.own_text import OwnText
from precompute.sources import LanguageModel
from precompute.text import special_token_frame
from tests.precompute.own_text_run import (
    BARE,
    HOOK,
    N_LATENTS,
    PLAIN,
    SAE,
    STREAM,
    THRESHOLD,
    Planted,
    plant,
)

ROOT = Path(__file__).resolve().parents[2]
TEXT = "The 北京 river and 🙂 a naïve Zyzzyva in water."


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("own") / "bert")


@pytest.fixture(scope="module")
def own_text(planted: Planted) -> OwnText:
    return OwnText(planted.folder)


def _expected(
    planted: Planted, model: LanguageModel, ids: list[int], place: str, centred: bool
) -> list[dict[int, float]]:
    """What fires on each token, from the model's own modules and a loop over latents."""
    before, after = special_token_frame(model.tokenizer, False)
    framed = torch.tensor([[*before, *ids, *after]])
    written: list[torch.Tensor] = []
    mlp = "transformer.h.1.mlp" if place == HOOK else ""
    handle = model.model.get_submodule(mlp).register_forward_hook(lambda *a: written.append(a[2]))
    with torch.no_grad():
        states = model.model(input_ids=framed, output_hidden_states=True).hidden_states
    handle.remove()
    given = written[0] if place == HOOK else states[1]
    rows = given[0, len(before) : len(before) + len(ids)].numpy()
    if centred:
        rows = rows - rows.mean(1, keepdims=True)
    fired = []
    for row in rows:
        values = [float(row @ w + b) for w, b in zip(planted.weights, planted.bias, strict=True)]
        fired.append({latent: a for latent, a in enumerate(values) if a > THRESHOLD})
    return fired


@pytest.mark.parametrize(
    ("kind", "place", "more"),
    [("bert", STREAM, ""), ("gpt2", STREAM, "centred = true\n"), ("gpt2", HOOK, "")],
)
def test_latents_fire_as_the_place_read_and_the_stored_encoders_say(
    tmp_path: Path, language_models: dict[str, LanguageModel], kind: str, place: str, more: str
) -> None:
    planted = plant(tmp_path / kind, kind, PLAIN + more, place=place)
    model = language_models[kind]
    answer = OwnText(planted.folder).read(SAE, TEXT)
    ids = model.tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    room = 14 if kind == "bert" else 16  # an encoder spends two on its frame
    assert answer["n_tokens"] == len(ids) > room  # so this text is cut
    expected = _expected(planted, model, ids[:room], place, bool(more))
    assert len(answer["tokens"]) == room
    for (_, _, latents, activations), fired in zip(answer["tokens"], expected, strict=True):
        found = dict(zip(latents, activations, strict=True))
        assert activations == sorted(activations, reverse=True)
        # rows pass through float16: what is nearer to the threshold than that may differ
        clear = {latent for latent, a in fired.items() if a > THRESHOLD + 0.05}
        assert clear <= set(found) <= set(fired) | {n for n, a in found.items() if a < 0.1}
        for latent in clear:
            assert found[latent] == pytest.approx(fired[latent], abs=0.05)


def test_offsets_are_of_characters_and_no_special_token_is_among_them(own_text: OwnText) -> None:
    answer = own_text.read(SAE, TEXT)
    words = [TEXT[start:end] for start, end, _, _ in answer["tokens"]]
    assert words[:5] == ["The", "北京", "river", "and", "🙂"]
    assert "".join(words) == TEXT.replace(" ", "")[: len("".join(words))]
    assert own_text.room == 14


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_a_text_without_tokens_gives_none(own_text: OwnText, text: str) -> None:
    assert own_text.read(SAE, text) == {"n_tokens": 0, "tokens": []}


@pytest.mark.parametrize(
    "text",
    [
        "\u202eabc\u2066 \u200f",
        "e" + "\u0301" * 500,
        "<script>alert(1)</script>",
        "[CLS] [SEP] [PAD] [MASK] [UNK]",
        "🙂" * 500,
        "a" * 2000,
        "\x00\x01\x7f",
    ],
)
def test_strange_texts_are_read_as_any_other(own_text: OwnText, text: str) -> None:
    question = Question(Path(), "", SAE, N_LATENTS, text)
    reading = parse_reading(own_text.read(SAE, text), question)
    assert len(reading.tokens) <= 14


def test_an_sae_without_encoders_is_refused(own_text: OwnText) -> None:
    for sae_id in (BARE, "nope"):
        with pytest.raises(ConfigError, match=f"keeps no encoders of {sae_id}"):
            own_text.read(sae_id, "x")


def test_other_weights_than_the_runs_are_refused(tmp_path: Path) -> None:
    planted = plant(tmp_path / "other", sha="0" * 64)
    with pytest.raises(ConfigError, match="has other weights here than when the run was made"):
        OwnText(planted.folder)


@contextmanager
def _talking(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "precompute.own_text", str(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_the_command_answers_line_by_line_and_ends_with_its_input(
    planted: Planted, own_text: OwnText
) -> None:
    with _talking(planted.folder) as process:
        assert process.stdin is not None
        assert _line(process) == {"ready": {"model": "random:bert", "room": 14}}
        for number, sae_id in ((7, SAE), (8, BARE)):
            request = {"id": number, "sae_id": sae_id, "text": "the river 🙂"}
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        answer, refusal = _line(process), _line(process)
        assert answer == {"id": 7, **own_text.read(SAE, "the river 🙂")}
        assert refusal["id"] == 8
        assert "keeps no encoders" in refusal["error"]
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_the_app_reads_through_it_within_its_limit_of_memory(
    planted: Planted, own_text: OwnText, fixture_run: Path
) -> None:
    worker = TextWorker(Limits(start_seconds=120, answer_seconds=60))
    try:
        question = Question(planted.folder, "", SAE, N_LATENTS, TEXT)
        reading = worker.read(question)
        assert reading == parse_reading(own_text.read(SAE, TEXT), question)
        with pytest.raises(TextError, match="does not say which language model"):
            worker.read(Question(fixture_run, "", SAE, N_LATENTS, TEXT))
    finally:
        worker.stop()
