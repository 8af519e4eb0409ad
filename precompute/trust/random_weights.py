"""An SAE on the same model with random weights, and one on the real model trained alike.

If a meta-SAE explains the decoder of both equally well, it finds what text and architecture bring,
not what the model learned. Both SAEs see the same tokens, fewer than the suite's.
"""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass, replace

import numpy as np
import torch

from precompute.config import RunConfig, TrustConfig
from precompute.dictionary import Dictionary
from precompute.harvest import harvest
from precompute.initialisation import row_statistics
from precompute.sources import LanguageModel, load_language_model
from precompute.stages import Stages
from precompute.suite import SaeTask, train_sae
from precompute.text import some_contexts
from precompute.textcache import stored_text
from precompute.trust.files import save_matrix

HELDOUT_SHARE = 0.1  # held-out tokens, as a share of the training tokens
RANDOM_MODEL, SAME_BUDGET = "random model", "same budget"


@dataclass(frozen=True)
class ControlSaeTask:
    """One of the two SAEs for one process; its decoder rows are kept under its name."""

    config: RunConfig
    trust: TrustConfig
    stages: Stages
    device: str
    which: str


def control_saes(config: RunConfig, trust: TrustConfig) -> dict[str, str]:
    """Which SAEs are trained for comparison, with the names of their rows.

    None for published SAEs: nothing here could be trained as they were.
    """
    if config.trained is None:
        return {}
    width = control_width(config, trust)
    return {which: f"sae-{width}, {which}" for which in (RANDOM_MODEL, SAME_BUDGET)}


def control_width(config: RunConfig, trust: TrustConfig) -> int:
    return min(trust.random_model_latents, config.widths[-1])


def train_control_sae(task: ControlSaeTask) -> None:
    """Train it and keep its decoder rows; the activations it needed are removed again."""
    suite = task.config.trained
    if suite is None:
        raise ValueError("the SAEs of this run were not trained here, so none can be trained alike")
    name = control_saes(task.config, task.trust)[task.which]
    text = stored_text(task.stages.text)
    folder = task.stages.trust / task.which.replace(" ", "-")
    n_tokens = task.trust.random_model_tokens
    wanted = {"train": n_tokens, "heldout": round(HELDOUT_SHARE * n_tokens)}
    part = some_contexts(text, wanted)
    if task.which == RANDOM_MODEL:
        model = with_random_weights(load_language_model(task.config.model), task.config.seed)
        for split in part.splits:
            harvest(task.config.model, model, part, split, folder, torch.device(task.device))
    else:
        folder.mkdir(parents=True, exist_ok=True)
        for split in part.splits:
            rows = np.load(task.stages.activations / f"{split}.npy", mmap_mode="r")
            np.save(folder / f"{split}.npy", rows[: len(part.row_tokens(split))])
    train = np.load(folder / "train.npy", mmap_mode="r")
    statistics = row_statistics(train, text.token_ids[part.row_tokens("train")])
    train_sae(
        SaeTask(
            sae_id=name,
            n_latents=control_width(task.config, task.trust),
            config=suite.model_copy(update={"epochs": task.trust.random_model_epochs}),
            seed=task.config.seed,
            activations=folder,
            statistics=statistics,
            folder=folder / "sae",
            device=task.device,
        )
    )
    save_matrix(task.stages.trust, name, Dictionary.load(folder / "sae").W_dec)
    for split in part.splits:
        (folder / f"{split}.npy").unlink()
    shutil.rmtree(folder / "sae" / "checkpoints", ignore_errors=True)


def with_random_weights(language_model: LanguageModel, seed: int) -> LanguageModel:
    """The same architecture and tokenizer with weights as before any training."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        fresh = type(language_model.model)(copy.deepcopy(language_model.model.config))
    fresh.eval()
    return replace(language_model, model=fresh)
