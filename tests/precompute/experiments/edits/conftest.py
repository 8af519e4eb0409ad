"""A model that has learnt invented facts by heart, and an SAE with one latent for each entity.

Activations are the embeddings, where an entity's token is its word's vector and its position's: to
turn off its latent and on another's is to ask about the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, normalize, one_hot
from transformers import GPT2LMHeadModel

from precompute.atlas.prompts import Question
from precompute.config import load_config
from precompute.decomposition import random_directions
from precompute.dictionary import Dictionary
from precompute.experiments.bench import Bench
from precompute.experiments.edits.interview import Interviewer
from precompute.experiments.edits.questions import FactTable, fact_tables
from precompute.experiments.edits.section import EditsConfig
from precompute.random_model import random_model
from precompute.stages import Stages

CONFIG = """
title = "planted"
[model]
source = "{source}"
hook = "blocks.0.hook_resid_pre"
context_size = 24
bfloat16 = false
[[corpora]]
name = "subatomic"
licence = "Apache-2.0"
documents = 20
shown = true
[saes]
widths = [16]
k = 4
epochs = 1.0
[meta]
rows_per_meta_latent = 2
k = 4.0
seeds = 2
"""
ENTITIES = (
    "bird", "bread", "river", "stone", "silver", "gold", "music", "king",
    "queen", "sea", "island", "winter", "summer", "wood", "glass", "paper",
)  # fmt: skip
VALUES = {
    "country": ("france", "italy", "japan"),
    "language": ("german", "french", "english"),
    "continent": ("africa", "asia", "europe"),
}
WORDINGS = ("the {attribute} of {name} is", "of {name} , the {attribute} is")
STEPS, RATE = 200, 5e-3
SETTINGS = EditsConfig(
    tables=("cities",),
    entities=16,
    pairs=12,
    choosing_pairs=4,
    least_examples=1,
    subsets=8,
    reach="entity",
)


@dataclass(frozen=True)
class Planted:
    """The bench, its questions, and the one table that they make."""

    bench: Bench
    questions: tuple[Question, ...]
    table: FactTable

    @property
    def sae(self) -> Dictionary:
        return self.bench.sae("sae-16")


def invented() -> tuple[Question, ...]:
    """Every entity has its own three values, 16 of the 27 threes: no value tells another."""
    threes = [number * 27 // len(ENTITIES) for number in range(len(ENTITIES))]
    found = []
    for number, name in zip(threes, ENTITIES, strict=True):
        for place, (attribute, values) in enumerate(VALUES.items()):
            answer = values[number // 3**place % 3]
            for wording, pattern in enumerate(WORDINGS):
                prompt = pattern.format(attribute=attribute, name=name)
                found.append(
                    Question("cities", name, attribute, name, prompt, answer, wording == 1)
                )
    return tuple(found)


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory, language_models) -> Planted:
    folder = tmp_path_factory.mktemp("planted")
    questions = invented()
    _learn(questions, language_models["gpt2"].tokenizer, folder / "model")
    (folder / "planted.toml").write_text(CONFIG.format(source=folder / "model"), encoding="utf-8")
    config = load_config(folder / "planted.toml")
    places = {name: folder / name for name in Stages.__dataclass_fields__}
    bench = Bench(config, Stages(**places), torch.device("cpu"))
    table = fact_tables(questions, bench.language_model, SETTINGS, seed=0)[0]
    sae = _one_latent_each(bench, table)
    sae.save(folder / "saes" / "sae-16", {})
    directions = random_directions(8, sae.W_dec.shape[1], seed=0)
    meta = Dictionary(
        directions.t().contiguous(),
        torch.zeros(8),
        directions,
        torch.zeros(sae.W_dec.shape[1]),
        threshold=0.1,
    )
    meta.save(bench.stages.meta_of("sae-16", config) / "seed-0", {})
    return Planted(bench, questions, table)


def _learn(questions: tuple[Question, ...], tokenizer, folder: Path) -> None:
    """Train the random causal model until it knows every answer, and save it."""
    model = random_model("gpt2")[0].train()
    assert isinstance(model, GPT2LMHeadModel)
    texts = [f"{question.prompt} {question.answer}" for question in questions]
    ids = tokenizer(texts, padding=True, return_tensors="pt", add_special_tokens=False)
    last = ids["attention_mask"].sum(1) - 1
    every = torch.arange(len(texts))
    answers = ids["input_ids"][every, last]
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(STEPS):
            hidden = model.transformer(**ids).last_hidden_state[every, last - 1]
            optimiser.zero_grad()
            cross_entropy(model.lm_head(hidden), answers).backward()
            optimiser.step()
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _one_latent_each(bench: Bench, table: FactTable) -> Dictionary:
    """Latent i: on at entity i's token, where it stands for the word's vector, off elsewhere."""
    prompts = list(table.prompts.values())
    rows, _ = Interviewer(bench, table).untouched(prompts)
    x = torch.cat(rows)
    is_entity = torch.from_numpy(np.concatenate([prompt.is_entity for prompt in prompts]))
    whose = torch.tensor([prompt.entity for prompt in prompts for _ in prompt.ids])
    words = bench.language_model.token_directions  # tied to the embeddings
    tokens = [table.prompts[entity, 0, 0] for entity in range(len(table.entities))]
    vectors = words[[int(prompt.ids[prompt.last]) for prompt in tokens]]
    wanted = one_hot(whose, len(vectors)).float() * is_entity[:, None] * vectors.norm(dim=1)
    design = torch.cat([x, torch.ones(len(x), 1)], 1)
    weights = torch.linalg.lstsq(design, wanted).solution
    return Dictionary(
        weights[:-1].contiguous(),
        weights[-1].contiguous(),
        normalize(vectors, dim=1),
        torch.zeros(x.shape[1]),
        threshold=float(vectors.norm(dim=1).min()) / 2,
    )
