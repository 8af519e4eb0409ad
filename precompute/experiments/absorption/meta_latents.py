"""Do the meta-latents of absorbing latents carry the concept that they absorb?"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from precompute.decomposition import decompose
from precompute.dictionary import Dictionary
from precompute.experiments.absorption.concepts import Asked, Kind
from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Estimate, Groups

LEAST_RANKED = 2  # latents of either kind; one against one is ranked by chance


def meta_latent_figures(
    findings: Findings,
    name: str,
    sae_id: str,
    kind: Kind,
    sae: Dictionary,
    meta: Dictionary,
    asked: list[Asked],
    seed: int,
) -> None:
    """The best component's cosine with the concept's probe, of latents that absorb the concept.

    Beside them stand the concept's main latents. The controls: latents at random with the same
    concept, and the same latents with the other concepts. Latents that the meta-SAE leaves without
    components are not counted.
    """
    shown = decompose(meta.to(torch.device("cpu")), sae.W_dec.cpu())
    directions = np.stack([one.concept.known.direction for one in asked], axis=1)
    cosines = meta.W_dec.double().cpu().numpy() @ directions  # [n_meta_latents, n_concepts]
    best = np.full((sae.n_latents, len(asked)), np.nan)
    np.fmax.at(best, shown.latent, cosines[shown.meta_latent])
    rng = np.random.default_rng(seed)
    own, main, at_random, elsewhere = [], [], [], []
    for place, one in enumerate(asked):
        absorbing = np.unique(one.found.absorber[one.found.is_full])
        own.append(best[absorbing, place])
        main.append(best[one.concept.sparse.main, place])
        at_random.append(best[rng.choice(sae.n_latents, len(absorbing), replace=False), place])
        elsewhere.append(np.delete(best[absorbing], place, axis=1).ravel())
    figures = {
        "absorbing latents": np.concatenate(own),
        "main latents": np.concatenate(main),
        "latents at random": np.concatenate(at_random),
        f"absorbing latents, other {kind.many}": np.concatenate(elsewhere),
    }
    seen = {setting: values[np.isfinite(values)] for setting, values in figures.items()}
    metric = f"best component's cosine with the {kind.one}"
    for setting, values in seen.items():
        if len(values):
            found = Groups(np.arange(len(values)), seed).mean(values)
            findings.measure(name, sae_id, kind.setting(setting), metric, found)
    first, second = seen["absorbing latents"], seen["latents at random"]
    if min(len(first), len(second)) >= LEAST_RANKED:
        is_own = np.repeat([True, False], [len(first), len(second)])
        found = auroc(is_own, np.concatenate([first, second]), seed)
        setting = kind.setting("absorbing latents")
        findings.measure(name, sae_id, setting, "auroc of the best component", found)


def auroc(is_own: np.ndarray, values: np.ndarray, seed: int) -> Estimate:
    """How well values [n] tell the own from the others; draws of one kind alone do not count."""

    def of(items: np.ndarray) -> float:
        if is_own[items].all() or not is_own[items].any():
            return float("nan")
        return float(roc_auc_score(is_own[items], values[items]))

    return Groups(np.arange(len(values)), seed).statistic(of)
