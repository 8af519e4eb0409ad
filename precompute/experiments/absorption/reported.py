"""Rows about single letters and classes: their figures along a line, and the latents concerned."""

from __future__ import annotations

import numpy as np

from precompute.experiments.absorption.concepts import Asked, Kind
from precompute.experiments.absorption.probes import MOST_LATENTS, Probe, SparseProbe
from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Estimate, Groups

ABSORPTION = "absorption"


def f1_of_latents(
    findings: Findings, sae_id: str, setting: str, found: list[SparseProbe], seed: int
) -> None:
    """How well the first k latents tell a concept, k = 1, 2, ...; the mean over concepts."""
    groups = Groups(np.arange(len(found)), seed)
    for k in range(MOST_LATENTS):
        f1 = np.array([one.f1[min(k, len(one.f1) - 1)] if one.f1 else 0.0 for one in found])
        findings.point(ABSORPTION, sae_id, setting, "f1 of k latents", k, k + 1, groups.mean(f1))


def probes_one_by_one(
    findings: Findings, sae_id: str, kind: Kind, probes: dict[str, Probe], n_test: int
) -> None:
    """The probe's F1 of every letter or class, those that it hardly knows among them."""
    for step, (label, one) in enumerate(probes.items()):
        found = Estimate(one.f1, None, None, n_test)
        name = f"{kind.one} {label}"
        findings.point(ABSORPTION, sae_id, name, "probe f1 by concept", step, step, found)


def one_by_one(findings: Findings, sae_id: str, kind: Kind, asked: list[Asked]) -> None:
    """Splitting and absorption of every concept, and the latents that split or absorb it."""
    for step, one in enumerate(asked):
        name, n = f"{kind.one} {one.concept.label}", len(one.words)
        own = one.concept.sparse
        figures = {
            "splits": own.n_main - 1.0,
            "f1 of its best latent": own.f1[0] if own.f1 else 0.0,
            "full absorption": float(one.found.is_full.mean()) if n else 0.0,
            "absorption fraction": float(one.found.fraction.mean()) if n else 0.0,
        }
        for metric, value in figures.items():
            found = Estimate(value, None, None, n)
            findings.point(ABSORPTION, sae_id, name, f"{metric} by concept", step, step, found)
        for k, latent in enumerate(own.main):
            role = f"{name}: main latent"
            concern(findings, sae_id, int(latent), role, "f1 with those before it", own.f1[k], n)
        absorbers = one.found.absorber[one.found.is_full]
        for latent, count in zip(*np.unique(absorbers, return_counts=True), strict=True):
            role, share = f"{name}: absorbs", float(count / n)
            concern(findings, sae_id, int(latent), role, "share of words absorbed", share, n)


def concern(
    findings: Findings, sae_id: str, latent: int, setting: str, metric: str, value: float, n: int
) -> None:
    """A latent that has a part in this experiment."""
    findings.concerned.append(
        {
            "sae_id": sae_id,
            "latent": latent,
            "experiment": ABSORPTION,
            "subject": sae_id,
            "setting": setting,
            "metric": metric,
            "value": value,
            "n": n,
        }
    )
