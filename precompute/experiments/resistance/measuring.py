"""Do SAEs that were trained to resist decomposition resist it, and at what price?

1. Train every recipe with its seeds on the run's stored activations; what is trained stays in the
   work folder, so a killed run goes on with the rest.
2. Measure each on held-out rows: co-firing, variance, dead latents, and what a meta-SAE that knew
   nothing of the training explains of its decoder. Thresholds are set so that all have one L0.
3. Splice all of them into the model: the rise of the cross-entropy, for causal models.
4. Means over seeds with Student's intervals, and changes against `solo` of the same seed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from scipy import sparse

from precompute.activations import all_firings
from precompute.batches import activation_batches
from precompute.config import MetaSaeConfig
from precompute.decomposition import fit_meta_sae
from precompute.dictionary import Dictionary, exact_threshold, fidelity
from precompute.experiments.bench import Bench
from precompute.experiments.findings import Findings
from precompute.experiments.resistance.cooccurrence import mean_absolute_phi
from precompute.experiments.resistance.recipes import SOLO, Recipe, all_recipes, trained
from precompute.experiments.resistance.rows import TrainingRows
from precompute.experiments.resistance.section import ResistanceConfig
from precompute.learned import dictionary_of
from precompute.measurements import over_seeds
from precompute.meta_suite import split_rows
from precompute.splicing import reconstruction
from precompute.writer import write_atomically

NAME = "resistance"
PHI, DEAD, CE_RISE = "mean |phi|", "dead latents", "ce rise"
EXPLAINED, UNEXPLAINED = "variance explained", "variance unexplained"
META_SEEN = "meta-SAE variance explained, in sample"
META_UNSEEN = "meta-SAE variance explained, held out"
FIGURES_NAME = "figures.json"

Figures = dict[tuple[str, int], dict[str, float]]
"""By subject and seed: figure by metric."""


def training_that_resists(bench: Bench, _sae_id: str, settings: ResistanceConfig) -> Findings:
    """All figures; the SAEs are kept beside those of the run, by the settings' fingerprint."""
    folder = bench.stages.experiments / f"{NAME}-trainings-{settings.fingerprint()}"
    rows = TrainingRows.of(bench.stages.activations)
    wanted = [
        (recipe, bench.config.seed + number)
        for recipe in all_recipes(settings)
        for number in range(recipe.n_seeds)
    ]
    found: Figures = {}
    saes: dict[tuple[str, int], Dictionary] = {}
    for recipe, seed in wanted:
        place, key = folder / f"{recipe.subject} {seed}", (recipe.subject, seed)
        if not (place / FIGURES_NAME).exists():
            _train_and_measure(bench, settings, recipe, seed, rows, place)
        found[key] = json.loads((place / FIGURES_NAME).read_text())
        saes[key] = Dictionary.load(place)
    _add_ce_rise(bench, settings, saes, found)
    return findings_of(found, f"{settings.n_latents} latents")


def _train_and_measure(
    bench: Bench,
    settings: ResistanceConfig,
    recipe: Recipe,
    seed: int,
    rows: TrainingRows,
    place: Path,
) -> None:
    """Train one, keep it, and keep its figures last."""
    batches = activation_batches(rows.train, rows.scale, settings.batch_size, seed)
    mean = rows.mean * rows.scale
    own = trained(recipe, settings, seed, batches, mean, bench.device)
    sae = dictionary_of(own).to(torch.device("cpu")).of_unscaled_rows(rows.scale)
    sae = sae.with_threshold(exact_threshold(sae, rows.for_threshold, settings.k))
    sae.save(place, {"subject": recipe.subject, "seed": seed})
    heldout = np.array(rows.heldout[: settings.heldout_rows])
    figures = sae_figures(sae, heldout)
    meta = bench.config.meta.model_copy(update={"steps": settings.posthoc_steps})
    figures |= meta_figures(sae.W_dec, meta, seed, place / "checkpoints", bench.device)
    text = json.dumps(figures, indent=1)
    write_atomically(place / FIGURES_NAME, lambda temporary: temporary.write_text(text))


def sae_figures(sae: Dictionary, rows: np.ndarray) -> dict[str, float]:
    """What can be told from rows [n, d_in] alone."""
    measured = fidelity(sae, rows)
    fired = all_firings(sae, rows, title="co-firing")
    indicator = sparse.csc_matrix(
        (np.ones(len(fired.rows), np.float32), (fired.rows, fired.latents)),
        shape=(len(rows), sae.n_latents),
    )
    return {
        PHI: mean_absolute_phi(indicator, len(rows)),
        EXPLAINED: measured.variance_explained,
        UNEXPLAINED: 1.0 - measured.variance_explained,
        DEAD: float((measured.fired == 0).mean()),
    }


def meta_figures(
    rows: torch.Tensor, meta: MetaSaeConfig, seed: int, folder: Path, device: torch.device
) -> dict[str, float]:
    """What the run's kind of meta-SAE explains of decoder rows [n, d]: of all, and of unseen ones.

    It has as many rows a meta-latent as the run's own, but more meta-latents than `meta.k`.
    """
    n_meta = max(int(meta.k) + 1, round(len(rows) / meta.rows_per_meta_latent))
    seen, unseen = split_rows(rows, meta.heldout_share, seed)
    found = {}
    for metric, to_train, to_measure in ((META_SEEN, rows, rows), (META_UNSEEN, seen, unseen)):
        own = fit_meta_sae(to_train, n_meta, meta, seed, folder / metric, metric, device)
        found[metric] = fidelity(own.to(torch.device("cpu")), to_measure).variance_explained
    return found


def _add_ce_rise(
    bench: Bench,
    settings: ResistanceConfig,
    saes: dict[tuple[str, int], Dictionary],
    found: Figures,
) -> None:
    """Mean rise of the cross-entropy in nats with each SAE's reconstruction in the model."""
    model = bench.spliced(bench.heldout(settings.contexts))
    if not model.is_causal:
        return
    names = {f"{subject} {seed}": (subject, seed) for subject, seed in saes}
    splices = {name: reconstruction(saes[key].to(bench.device)) for name, key in names.items()}
    for name, costs in model.token_costs(splices).items():
        found[names[name]][CE_RISE] = float(costs.rise.double().mean())


def findings_of(found: Figures, setting: str) -> Findings:
    """Means over seeds, and the change against `solo` of the same seed in per cent.

    A metric that is 0 for every solo SAE has no change in per cent.
    """
    findings = Findings()
    for subject in dict.fromkeys(subject for subject, _ in found):
        seeds = [seed for name, seed in found if name == subject]
        for metric in found[subject, seeds[0]]:
            own = [found[subject, seed][metric] for seed in seeds]
            findings.measurements.append(over_seeds(NAME, subject, setting, metric, own))
            solo = [found[SOLO, seed][metric] for seed in seeds]
            changes = [100 * (a / b - 1) for a, b in zip(own, solo, strict=True) if b != 0]
            if subject != SOLO and changes:
                name = f"change of {metric} against solo"
                findings.measurements.append(over_seeds(NAME, subject, setting, name, changes))
    return findings
