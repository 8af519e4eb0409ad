"""What interventions cost where every token is changed: of one SAE, and of SAEs at other layers."""

from __future__ import annotations

import numpy as np
import torch

from precompute.dictionary import Dictionary
from precompute.experiments.errors.interventions import (
    EPS_RANDOM,
    INTERVENTIONS,
    SAE,
    Moments,
)
from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Groups
from precompute.splicing import SplicedModel, TokenCosts, instead

COSTS = {"kl": lambda costs: costs.kl, "ce rise": lambda costs: costs.rise}
DISTANCE = "embedding distance"
OVER_RANDOM = " over eps-random"


def rebuilt(sae: Dictionary, x: torch.Tensor) -> torch.Tensor:
    """Reconstructions of rows, in blocks: a wide SAE's activations are many."""
    return torch.cat([sae.decode(sae.encode(block)) for block in x.split(1024)])


def replacements(sae: Dictionary, x: torch.Tensor, seed: int) -> dict[str, torch.Tensor]:
    """By intervention, the rows [n, d] that take the place of x [n, d]."""
    s = rebuilt(sae, x)
    moments = Moments.of(x, s)
    return {
        name: intervention(x, s, moments, torch.Generator().manual_seed(seed + number))
        for number, (name, intervention) in enumerate(INTERVENTIONS.items())
    }


def mean_costs(
    findings: Findings,
    name: str,
    subject: str,
    model: SplicedModel,
    costs: dict[str, TokenCosts],
    seed: int,
) -> None:
    """KL and rise of CE of every intervention, and their ratios to eps-random.

    Args:
        name: of the experiment.
        costs: by intervention.
    """
    row = costs[SAE].row.numpy()
    groups = Groups(model.context[row], seed)
    findings.measure(name, subject, "clean", "ce", groups.mean(costs[SAE].clean.numpy()))
    add_ratios(findings, name, subject, costs, np.ones(len(row), bool), groups)


def add_ratios(
    findings: Findings,
    name: str,
    subject: str,
    costs: dict[str, TokenCosts],
    here: np.ndarray,
    groups: Groups,
    what: str = "",
) -> None:
    """Means and ratios to eps-random of every intervention over some of the predictions.

    Args:
        here: bool [n_predictions], those that count.
        groups: of these.
        what: added to the name of each cost.
    """
    for metric, of in COSTS.items():
        random = of(costs[EPS_RANDOM]).numpy()[here]
        for setting, own in costs.items():
            values = of(own).numpy()[here]
            findings.measure(name, subject, setting, metric + what, groups.mean(values))
            ratio = groups.ratio(values, random)
            findings.measure(name, subject, setting, metric + what + OVER_RANDOM, ratio)


def distances(
    findings: Findings,
    name: str,
    subject: str,
    model: SplicedModel,
    new: dict[str, torch.Tensor],
    seed: int,
) -> None:
    """Cosine distance of each context's embedding from the untouched one, of an encoder."""
    clean = model.embeddings(None)
    distance = {
        setting: (1 - (model.embeddings(instead(rows)) * clean).sum(1)).numpy()
        for setting, rows in new.items()
    }
    groups = Groups(np.arange(model.n_contexts), seed)
    for setting, values in distance.items():
        findings.measure(name, subject, setting, DISTANCE, groups.mean(values))
        ratio = groups.ratio(values, distance[EPS_RANDOM])
        findings.measure(name, subject, setting, DISTANCE + OVER_RANDOM, ratio)
