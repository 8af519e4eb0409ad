"""The trust stage: rows that controls need, their trainings, and what is compared with them.

Each task leaves its file at the end and whole, so a killed stage goes on with the next task.
"""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq

from precompute.config import RunConfig, TrustConfig
from precompute.dictionary import Dictionary
from precompute.initialisation import row_statistics, word_directions
from precompute.stages import Stages
from precompute.textcache import stored_text
from precompute.trust import control_rows as kinds
from precompute.trust.comparison import compare
from precompute.trust.files import matrix_path, save_matrix
from precompute.trust.methods import nearest_latents, other_random_directions
from precompute.trust.random_weights import ControlSaeTask, control_saes, train_control_sae
from precompute.trust.trainings import (
    MEAN_ACTIVATION,
    NEAREST,
    RANDOM,
    Training,
    TrainingTask,
    figures_path,
    planned,
    train,
)
from precompute.workers import run_tasks


def measure_trust(config: RunConfig, stages: Stages, device: str, workers: int) -> None:
    """Run every task of the stage that has not left its file yet; nothing without `[trust]`."""
    if config.trust is None:
        return
    folder = stages.trust
    _prepare_rows(config, stages)
    waiting = [
        ControlSaeTask(config, config.trust, stages, device, which)
        for which, name in control_saes(config, config.trust).items()
        if not matrix_path(folder, name).exists()
    ]
    run_tasks(train_control_sae, waiting, workers)
    trainings = [
        TrainingTask(one, stages.saes, folder, device)
        for one in all_trainings(config, config.trust)
        if not figures_path(folder, one).exists()
    ]
    run_tasks(train, trainings, workers)
    compare(config, config.trust, stages)


def all_trainings(config: RunConfig, trust: TrustConfig) -> list[Training]:
    """Every meta-SAE of the stage."""
    return planned(config, trust, (kinds.WORDS, *control_saes(config, trust).values()))


def _prepare_rows(config: RunConfig, stages: Stages) -> None:
    """Word directions, each latent's mean activation, and directions to put in place of others."""
    folder, sae_id = stages.trust, config.decomposed_sae_id
    if not matrix_path(folder, MEAN_ACTIVATION).exists():
        latents = pq.read_table(
            stages.tables / sae_id / "latents.parquet", columns=["count", "mean_activation"]
        )
        total = latents["count"].to_numpy() * latents["mean_activation"].to_numpy()
        save_matrix(folder, MEAN_ACTIVATION, total.astype(np.float32))
    meta = Dictionary.load(stages.meta / "heldout")
    if not matrix_path(folder, NEAREST).exists():
        smaller = {i: Dictionary.load(stages.saes / i).W_dec for i in config.smaller_sae_ids}
        save_matrix(folder, NEAREST, nearest_latents(meta, smaller))
    if not matrix_path(folder, RANDOM).exists():
        save_matrix(folder, RANDOM, other_random_directions(meta.W_dec, config.seed))
    if not matrix_path(folder, kinds.WORDS).exists():
        text = stored_text(stages.text)
        rows = np.load(stages.activations / "train.npy", mmap_mode="r")
        statistics = row_statistics(rows, text.token_ids[text.row_tokens("train")])
        directions = word_directions(statistics, len(statistics.pieces))
        save_matrix(folder, kinds.WORDS, directions)
