"""A small measured sweep before the long training: block, k, initialisation, decoder speed.

Every variant is one SAE on a sample of the text and one meta-SAE on its decoder rows, judged by
held-out variance explained, how many latents stand for one word, what the meta-SAE explains of
held-out rows against its two Gaussian nulls, and how well its meta-latents carry known facts.
"""

from __future__ import annotations

import csv
import json
import logging
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field, ValidationError

from precompute.activations import firings
from precompute.attributes import attribute_recovery
from precompute.config import ConfigError, RunConfig, SaeSuiteConfig, load_config
from precompute.counting import count_firings
from precompute.decomposition import decompose
from precompute.dictionary import Dictionary, fidelity
from precompute.harvest import harvest
from precompute.initialisation import row_statistics
from precompute.meta_suite import CONTROLS, MetaTask, train_meta_sae
from precompute.sections import Frozen, Positive
from precompute.sources import load_language_model
from precompute.suite import SaeTask, train_sae
from precompute.terms import SINGLE_TERM_SCORE, score_terms
from precompute.text import SPLITS, TokenisedText, tokenise
from precompute.workers import run_tasks
from precompute.writer import write_atomically

log = logging.getLogger(__name__)

FIELDS: tuple[str, ...] = (
    "layer",
    "k",
    "initialisation",
    "word_share",
    "word_decoder_rate",
    "variance_explained_heldout",
    "dead_share",
    "one_word_share",
    "meta_in_sample",
    "meta_heldout",
    "isotropic_in_sample",
    "isotropic_heldout",
    "covariance_in_sample",
    "covariance_heldout",
    "attribute_f1",
    "attribute_f1_shuffled",
    "attribute_values",
)
MIN_WORD_COUNT = 3  # occurrences in the shown text before a word can name a latent


class Variant(Frozen):
    """What one variant changes in the run config."""

    layer: Positive
    k: Annotated[float, Field(gt=0)]
    initialisation: str = "words"
    word_share: float = 0.8
    word_decoder_rate: float = 0.05


class SweepConfig(Frozen):
    """Sample sizes shared by all variants, and the variants."""

    run: str
    """The run config whose model and text are used, beside this file."""
    width: Positive
    train_contexts: Positive
    heldout_contexts: Positive
    epochs: Annotated[float, Field(gt=0)]
    meta_steps: Positive
    variants: tuple[Variant, ...]


@dataclass(frozen=True)
class VariantTask:
    """One variant for one process; everything else is read from the folder."""

    config: RunConfig
    suite: SaeSuiteConfig
    text: TokenisedText
    folder: Path
    activations: Path


def run_sweep(path: Path, text_folder: Path, work: Path, table: Path, workers: int) -> None:
    """Measure every variant that has no result yet and write the table as TSV."""
    try:
        sweep = SweepConfig(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError, TypeError) as error:
        raise ConfigError(f"{path} cannot be used: {error}") from error
    base = load_config(path.parent / sweep.run)
    configs = [_variant_config(base, sweep, variant) for variant in sweep.variants]
    language_model = load_language_model(base.model)
    text = _sample(tokenise(base, language_model, text_folder), sweep)
    tasks = []
    for variant, (config, suite) in zip(sweep.variants, configs, strict=True):
        sample = f"{sweep.train_contexts} {sweep.heldout_contexts}"
        activations = work / f"layer-{variant.layer}-{config.model.fingerprint(sample)}"
        for split in SPLITS:
            harvest(config.model, language_model, text, split, activations, torch.device("cpu"))
        folder = (
            work / f"variant-{variant.fingerprint(str(sweep.model_copy(update={'variants': ()})))}"
        )
        tasks.append(VariantTask(config, suite, text, folder, activations))
    run_tasks(measure_variant, [t for t in tasks if not (t.folder / "row.json").exists()], workers)
    rows = [json.loads((task.folder / "row.json").read_text()) for task in tasks]
    write_atomically(table, lambda temporary: _write_table(temporary, rows))


def measure_variant(task: VariantTask) -> None:
    """Train and judge one variant; the row comes last."""
    config, text, suite = task.config, task.text, task.suite
    train = np.load(task.activations / "train.npy", mmap_mode="r")
    heldout = np.load(task.activations / "heldout.npy", mmap_mode="r")
    sae_id = config.decomposed_sae_id
    sae_task = SaeTask(
        sae_id=sae_id,
        n_latents=suite.widths[-1],
        config=suite,
        seed=config.seed,
        activations=task.activations,
        statistics=row_statistics(train, text.token_ids[text.row_tokens("train")]),
        folder=task.folder / sae_id,
        device="cpu",
    )
    if not (sae_task.folder / "figures.json").exists():
        train_sae(sae_task)
    metas = {}
    for name in ("seed-0", "heldout", *CONTROLS):
        figures = task.folder / name / "figures.json"
        if not figures.exists():
            train_meta_sae(
                MetaTask(
                    name,
                    sae_task.folder,
                    figures.parent,
                    config.meta_width,
                    config.meta,
                    config.seed,
                    "cpu",
                )
            )
        metas[name] = json.loads(figures.read_text())
    sae = Dictionary.load(task.folder / sae_id)
    measured = fidelity(sae, heldout)
    # the text written for this project names what the fact tables list; other text seldom does
    shown = np.load(task.activations / "shown.npy", mmap_mode="r")
    blocks = firings(sae, shown, bfloat16=False, title="words")
    tokens = text.row_tokens("shown")
    counts = count_firings(blocks, text, tokens, sae.n_latents, sae.lowest_threshold)
    scores = score_terms(counts.words, MIN_WORD_COUNT)
    alive = np.flatnonzero(counts.words.latent_count >= MIN_WORD_COUNT)
    one_word = np.unique(scores.latent[scores.score >= SINGLE_TERM_SCORE])
    meta = Dictionary.load(task.folder / "seed-0")
    facts = attribute_recovery(
        scores, text.words, decompose(meta, sae.W_dec), meta.n_latents, config.seed
    )
    row: dict[str, Any] = {
        "layer": config.model.layer,
        "k": suite.k,
        "initialisation": suite.initialisation,
        "word_share": suite.word_share,
        "word_decoder_rate": suite.word_decoder_rate,
        "variance_explained_heldout": measured.variance_explained,
        "dead_share": float((measured.fired == 0).mean()),
        "one_word_share": len(one_word) / max(len(alive), 1),
        **_meta_figures("meta", metas["heldout"]),
        **_meta_figures("isotropic", metas["isotropic"]),
        **_meta_figures("covariance", metas["covariance"]),
        "attribute_f1": facts.f1,
        "attribute_f1_shuffled": facts.shuffled_f1,
        "attribute_values": facts.n_values,
    }
    log.info("%s", row)
    text_row = json.dumps(row)
    write_atomically(task.folder / "row.json", lambda temporary: temporary.write_text(text_row))


def _meta_figures(name: str, figures: dict[str, Any]) -> dict[str, float]:
    """Variance explained by one meta-SAE of the 90 % it was trained on, and of the rest."""
    return {
        f"{name}_in_sample": figures["seen"]["variance_explained"],
        f"{name}_heldout": figures["unseen"]["variance_explained"],
    }


def _variant_config(
    base: RunConfig, sweep: SweepConfig, variant: Variant
) -> tuple[RunConfig, SaeSuiteConfig]:
    if base.saes is None:
        raise ConfigError(f"{base.name}: a sweep needs a config with [saes], not published ones")
    body = base.model_dump()
    body["model"] |= {"layer": variant.layer, "hook": None}
    body["saes"] |= {"widths": (sweep.width,), "epochs": sweep.epochs}
    body["saes"] |= {
        name: getattr(variant, name)
        for name in SaeSuiteConfig.model_fields
        if hasattr(variant, name)
    }
    body["meta"] |= {"steps": sweep.meta_steps}
    try:
        return RunConfig(**body), SaeSuiteConfig(**body["saes"])
    except ValidationError as error:
        raise ConfigError(f"variant {variant} cannot be used: {error}") from error


def _sample(text: TokenisedText, sweep: SweepConfig) -> TokenisedText:
    """The first contexts of each split, which are in random order already."""
    splits = text.splits | {
        "train": text.splits["train"][: sweep.train_contexts],
        "heldout": text.splits["heldout"][: sweep.heldout_contexts],
    }
    return replace(text, splits=splits)


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, FIELDS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}
            writer.writerow(rounded)
