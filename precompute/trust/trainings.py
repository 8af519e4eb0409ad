"""Every meta-SAE that a control needs: which rows, which size, how it is trained, what it answers.

| experiment | trainings |
|---|---|
| controls | the meta-SAE's settings on every kind of rows |
| width_sweep | other numbers of meta-latents, on decoder rows and on rows of their covariance |
| k | other mean numbers of components, on the same |
| sampling | rows drawn by the latent's mean activation in place of one another's turn (R. Shah) |
| composition | the score of SAEBench's `meta_structure`, for every SAE of the suite |
| methods | an encoder for directions that it may not change |

Each is trained `seeds` or `sweep_seeds` times (those of `methods` once) on 90 % of the rows (the
composition score on all of them, as published), measured on both parts, and leaves
`<slug>-<seed>.json`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from precompute.config import MetaSaeConfig, RunConfig, TrustConfig
from precompute.decomposition import fit_meta_sae
from precompute.dictionary import Dictionary, fidelity
from precompute.meta_suite import split_rows
from precompute.trust import control_rows as kinds
from precompute.trust.files import load_matrix, matrix_path, save_figures

BY_ACTIVATION = "rows by mean activation"
ALIKE = "rows alike"
# SAEBench meta_structure: n/4 meta-latents, k = 4, batches of 1,024 drawn with replacement, 5e-4
COMPOSITION_SHARE, COMPOSITION_K = 4, 4.0
COMPOSITION_BATCH, COMPOSITION_RATE = 1024, 5e-4
SWEEPS = ("width_sweep", "composition")
MEAN_ACTIVATION = "mean activation"  # of each latent over tokens: its weight in `sampling`
NEAREST, RANDOM = "nearest latents", "random directions"


@dataclass(frozen=True)
class Training:
    """One meta-SAE of a control.

    Attributes:
        rows: a kind of `control_rows.py`, or a folder's name in the stage for other rows.
        setting: what the rows of `measurements` say of it, beside the split; may be empty.
        drawn: rows are drawn with replacement: alike, or by mean activation.
        frozen: name of a saved matrix of directions that the decoder stays at.
    """

    experiment: str
    subject: str
    setting: str
    rows: str
    n_meta: int
    settings: MetaSaeConfig
    sae_id: str
    seed: int
    drawn: str = ""
    frozen: str = ""
    is_split: bool = True
    is_kept: bool = False
    """Whether its weights are kept, for comparing seeds."""

    @property
    def slug(self) -> str:
        words = f"{self.experiment} {self.subject} {self.setting}".lower()
        return re.sub(r"[^a-z0-9.]+", "-", words).strip("-")


@dataclass(frozen=True)
class TrainingTask:
    """One training for one process; `saes` and `folder` are folders."""

    training: Training
    saes: Path
    folder: Path
    device: str


def planned(config: RunConfig, trust: TrustConfig, other_rows: tuple[str, ...]) -> list[Training]:
    """All trainings, the longest first; `other_rows` are files `<name>.npy` in the stage."""
    meta, n, sae_id = config.meta, config.decomposed_width, config.decomposed_sae_id
    kind_names = (kinds.DECODER, kinds.COVARIANCE, kinds.ISOTROPIC, kinds.SHUFFLED)
    base = Training("controls", "", "", "", config.meta_width, meta, sae_id, 0, is_kept=True)
    found = [replace(base, subject=kind, rows=kind) for kind in kind_names]
    found += [replace(base, subject=name, rows=name, n_meta=0) for name in other_rows]
    base = replace(base, is_kept=False)
    for share in trust.rows_per_meta_latent:
        size = round(n / share)
        if size > 2 * meta.k and size != config.meta_width:
            found += [
                replace(base, experiment="width_sweep", subject=kind, rows=kind, n_meta=size,
                        setting=f"{size} meta-latents")
                for kind in (kinds.DECODER, kinds.COVARIANCE)
            ]  # fmt: skip
    for k in trust.ks:
        if k < config.meta_width and k != meta.k:
            found += [
                replace(base, experiment="k", subject=kind, rows=kind, setting=f"k = {k:g}",
                        settings=meta.model_copy(update={"k": k}))
                for kind in (kinds.DECODER, kinds.COVARIANCE)
            ]  # fmt: skip
    found += [
        replace(base, experiment="sampling", subject=drawn, rows=kinds.DECODER, drawn=drawn)
        for drawn in (ALIKE, BY_ACTIVATION)
    ]
    found += _composition(config, trust, base)
    ordered = sorted(found, key=lambda t: -t.n_meta * t.settings.steps)
    tuned = [  # beside one meta-SAE, whose nearest latents they are: one seed
        replace(base, experiment="methods", subject=tuned_method(name), rows=kinds.DECODER,
                frozen=name, seed=config.seed)
        for name in (NEAREST, RANDOM)
    ]  # fmt: skip
    return tuned + [
        replace(one, seed=config.seed + i)
        for i in range(max(trust.seeds, trust.sweep_seeds))
        for one in ordered
        if i < (trust.sweep_seeds if one.experiment in SWEEPS else trust.seeds)
    ]


def tuned_method(directions: str) -> str:
    """The method of an encoder that learned to use directions which it could not change."""
    return f"meta-SAE with {directions}, tuned"


def _composition(config: RunConfig, trust: TrustConfig, base: Training) -> list[Training]:
    settings = config.meta.model_copy(
        update={
            "k": COMPOSITION_K,
            "steps": trust.composition_steps,
            "batch_size": COMPOSITION_BATCH,
            "learning_rate": COMPOSITION_RATE,
        }
    )
    return [
        replace(base, experiment="composition", subject=sae_id, setting=kind, rows=kind,
                n_meta=-(-width // COMPOSITION_SHARE), settings=settings, sae_id=sae_id,
                drawn=ALIKE, is_split=False)
        for sae_id, width in zip(config.sae_ids, config.widths, strict=True)
        for kind in (kinds.DECODER, kinds.ISOTROPIC)
        if width // COMPOSITION_SHARE > COMPOSITION_K
    ]  # fmt: skip


def figures_path(folder: Path, training: Training) -> Path:
    return folder / f"{training.slug}-{training.seed}.json"


def weights_folder(folder: Path, training: Training) -> Path:
    return folder / "weights" / f"{training.slug}-{training.seed}"


def train(task: TrainingTask) -> None:
    """Train one, measure it on the rows it saw and on those it did not; the figures come last."""
    training, folder = task.training, task.folder
    settings = training.settings
    decoder = Dictionary.load(task.saes / training.sae_id).W_dec
    rows, weights = decoder, None
    if matrix_path(folder, training.rows).exists():
        rows = load_matrix(folder, training.rows)
    else:
        rows = kinds.control_rows(training.rows, decoder, training.seed)
    if training.drawn:
        weights = torch.ones(len(rows))
    by_activation = torch.ones(len(rows))
    if training.experiment == "sampling":
        by_activation = load_matrix(folder, MEAN_ACTIVATION)
        weights = by_activation if training.drawn == BY_ACTIVATION else weights
    order = torch.arange(len(rows))
    seen = unseen = order
    if training.is_split:
        seen, unseen = split_rows(order, settings.heldout_share, training.seed)
    frozen = load_matrix(folder, training.frozen) if training.frozen else None
    n_meta = training.n_meta or max(2, round(len(rows) / settings.rows_per_meta_latent))
    meta = fit_meta_sae(
        rows[seen],
        n_meta,
        settings,
        training.seed,
        folder / "checkpoints" / f"{training.slug}-{training.seed}",
        f"{training.slug} {training.seed}",
        torch.device(task.device),
        frozen,
        None if weights is None else weights[seen],
    ).to(torch.device("cpu"))
    parts = {"in-sample": seen} | ({"held-out": unseen} if training.is_split else {})
    figures: dict[str, float] = {"n_meta": n_meta, "n_rows": len(rows)}
    for split, part in parts.items():
        figures[split] = fidelity(meta, rows[part]).variance_explained
        if training.experiment == "sampling":
            figures[f"{split}, {BY_ACTIVATION}"] = _weighted(meta, rows[part], by_activation[part])
    if training.is_kept or training.frozen:
        meta.save(weights_folder(folder, training), {"seed": training.seed})
    save_figures(figures_path(folder, training), figures)


@torch.no_grad()
def _weighted(meta: Dictionary, rows: torch.Tensor, weights: torch.Tensor) -> float:
    """Variance explained with every row counted by its weight [n], around the weighted mean."""
    share = weights / weights.sum()
    mean = (rows * share[:, None]).sum(0)
    error = (rows - meta.decode(meta.encode(rows))).pow(2).sum(1)
    return 1.0 - float((share * error).sum() / (share * (rows - mean).pow(2).sum(1)).sum())
