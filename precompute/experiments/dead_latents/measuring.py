"""How many latents are dead in the end, and what the SAE explains, for each way against it."""

from __future__ import annotations

import json

import numpy as np
import torch

from precompute.batches import activation_batches
from precompute.dictionary import fidelity
from precompute.experiments.bench import Bench
from precompute.experiments.dead_latents.methods import METHODS, trained
from precompute.experiments.dead_latents.section import DeadLatentsConfig
from precompute.experiments.findings import Findings
from precompute.experiments.resistance.rows import TrainingRows
from precompute.learned import dictionary_of
from precompute.measurements import over_seeds
from precompute.writer import write_atomically

NAME = "dead latents"
DEAD, EXPLAINED = "dead latents", "variance explained"


def ways_against_dead_latents(bench: Bench, _sae_id: str, settings: DeadLatentsConfig) -> Findings:
    """Means over seeds with Student's intervals; a killed run goes on with the next training.

    A latent is dead that fires on none of the held-out rows.
    """
    folder = bench.stages.experiments / f"dead-latents-trainings-{settings.fingerprint()}"
    rows = TrainingRows.of(bench.stages.activations)
    setting = f"{settings.n_latents} latents, k = {settings.k}, {settings.steps} steps"
    findings = Findings()
    for method in METHODS:
        seeds = [bench.config.seed + number for number in range(settings.seeds)]
        found = []
        for seed in seeds:
            path = folder / f"{method} {seed}.json"
            if not path.exists():
                text = json.dumps(_figures(bench, settings, method, seed, rows))
                write_atomically(path, lambda temporary, text=text: temporary.write_text(text))
            found.append(json.loads(path.read_text()))
        for metric in (DEAD, EXPLAINED):
            values = [figures[metric] for figures in found]
            findings.measurements.append(over_seeds(NAME, method, setting, metric, values))
    return findings


def _figures(
    bench: Bench, settings: DeadLatentsConfig, method: str, seed: int, rows: TrainingRows
) -> dict[str, float]:
    batches = activation_batches(rows.train, rows.scale, settings.batch_size, seed)
    own = trained(method, settings, seed, batches, rows.train.shape[1], bench.device)
    sae = dictionary_of(own).to(torch.device("cpu")).of_unscaled_rows(rows.scale)
    measured = fidelity(sae, np.array(rows.heldout[: settings.heldout_rows]))
    return {
        DEAD: float((measured.fired == 0).mean()),
        EXPLAINED: measured.variance_explained,
    }
