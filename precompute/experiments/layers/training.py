"""An SAE at another layer of the run's model, trained as the suite is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from precompute.config import ModelConfig, SaeSuiteConfig
from precompute.dictionary import Dictionary
from precompute.experiments.bench import Bench
from precompute.experiments.layers.section import LayersConfig
from precompute.harvest import harvest
from precompute.initialisation import row_statistics
from precompute.suite import SaeTask, train_sae
from precompute.text import some_contexts

HELDOUT_SHARE = 0.1  # held-out tokens, as a share of the training tokens
FIGURES_NAME = "figures.json"  # what `train_sae` writes last


def sae_at(bench: Bench, place: ModelConfig, settings: LayersConfig, folder: Path) -> Dictionary:
    """The SAE of this place, from `folder` or trained into it; its activations are removed again.

    Args:
        place: the run's model, read at another layer.
    """
    saved = folder / "sae"
    if not (saved / FIGURES_NAME).exists():
        _train(bench, place, settings, folder)
    for split in ("train", "heldout"):
        (folder / f"{split}.npy").unlink(missing_ok=True)
    shutil.rmtree(saved / "checkpoints", ignore_errors=True)
    return Dictionary.load(saved).to(bench.device)


def _train(bench: Bench, place: ModelConfig, settings: LayersConfig, folder: Path) -> None:
    wanted = {"train": settings.tokens, "heldout": round(HELDOUT_SHARE * settings.tokens)}
    part = some_contexts(bench.text, wanted)
    for split in part.splits:
        harvest(place, bench.language_model, part, split, folder, bench.device)
    train = np.load(folder / "train.npy", mmap_mode="r")
    own = {"k": settings.k, "epochs": settings.epochs}
    recipe = SaeSuiteConfig(widths=(settings.n_latents,), **own)
    if bench.config.trained is not None:
        recipe = bench.config.trained.model_copy(update=own)
    batch = min(recipe.batch_size, len(train))
    train_sae(
        SaeTask(
            sae_id=f"sae-{settings.n_latents} at {place.place}",
            n_latents=settings.n_latents,
            config=recipe.model_copy(update={"batch_size": batch}),
            seed=bench.config.seed,
            activations=folder,
            statistics=row_statistics(train, part.token_ids[part.row_tokens("train")]),
            folder=folder / "sae",
            device=str(bench.device),
        )
    )
