"""Do SAEs find the directions that activations are known to be made of?"""

from __future__ import annotations

import json
from pathlib import Path

from precompute.experiments.bench import Bench
from precompute.experiments.findings import Findings
from precompute.experiments.toy_models.saes import (
    KINDS,
    META,
    RANDOM,
    WIDE,
    decoder_of,
    meta_decoder,
)
from precompute.experiments.toy_models.scores import scores
from precompute.experiments.toy_models.section import ToyModelsConfig
from precompute.experiments.toy_models.toys import HIERARCHICAL, TOYS, make_toy
from precompute.measurements import over_seeds
from precompute.writer import write_atomically

NAME = "toy models"

Scores = dict[str, dict[str, float]]
"""By kind of SAE and metric."""


def saes_on_toys(bench: Bench, _sae_id: str, settings: ToyModelsConfig) -> Findings:
    """Means over seeds with Student's intervals; a seed draws its own directions and rows."""
    folder = bench.stages.experiments / f"toy-models-trainings-{settings.fingerprint()}"
    findings = Findings()
    for toy in TOYS:
        found = []
        for seed in range(bench.config.seed, bench.config.seed + settings.seeds):
            path = folder / f"{toy} {seed}.json"
            if not path.exists():
                text = json.dumps(_scores(bench, settings, toy, seed, folder / "checkpoints"))
                write_atomically(path, lambda temporary, text=text: temporary.write_text(text))
            found.append(json.loads(path.read_text()))
        for kind, by_metric in found[0].items():
            for metric in by_metric:
                values = [one[kind][metric] for one in found]
                findings.measurements.append(over_seeds(NAME, kind, toy, metric, values))
    return findings


def _scores(
    bench: Bench, settings: ToyModelsConfig, kind_of_toy: str, seed: int, checkpoints: Path
) -> Scores:
    toy = make_toy(kind_of_toy, settings, seed)
    found: Scores = {}
    for kind in (*KINDS, RANDOM):
        found[kind] = scores(toy.truth, decoder_of(kind, toy, settings, seed, bench.device))
    if kind_of_toy == HIERARCHICAL:
        wide = decoder_of(WIDE, toy, settings, seed, bench.device)
        place = checkpoints / f"{kind_of_toy} {seed}"
        meta = meta_decoder(wide, len(toy.truth), settings, seed, place, bench.device)
        found |= {WIDE: scores(toy.truth, wide), META: scores(toy.truth, meta)}
    return found
