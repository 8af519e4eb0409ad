"""The examples of a run as a cache of activations that Delphi reads, and its labels.

Delphi's own cache has every firing over millions of tokens; a run keeps examples only. What follows
from that is said in `config.json`, in `export.json` and when the command ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from safetensors.numpy import save_file
from tqdm.auto import tqdm

from backend.manifest import RunError
from precompute.config import ConfigError
from precompute.exports.delphi_tokens import WINDOW, ContextTokens, context_tokens
from precompute.exports.run_labels import RunLabels
from precompute.exports.run_rows import LatentRows
from precompute.exports.run_sae import RunSae
from precompute.hooks import find_place
from precompute.run_model import run_model
from precompute.sources import load_outline, load_tokenizer

N_SPLITS = 5
MOST_IN_SPLIT = 1 << 16  # latents: their numbers fit 16 bits
LEAST_ACTIVATION = 1e-5  # as in Delphi: smaller ones are no firing
NOTES = (
    "only the stored examples are in it: the top, interval and random ones of each latent",
    "a latent fires on other sequences too, so sequences without it are not known to be silent, "
    "and frequencies and random non-activating examples taken from this cache are wrong; counts of "
    "all firings are in the run's table latents",
    f"a latent has few examples: give Delphi a low min_examples, and {WINDOW} as example_ctx_len",
)


def write_delphi(folder: Path, about: RunSae, model_name: str | None) -> list[str]:
    """Write `latents/`, `explanations/` and `sequences.json` into `folder`.

    Args:
        model_name: the model's name on the hub, whose tokenizer Delphi loads; None: the run's.

    Returns:
        What a reader of the cache must know.

    Raises:
        ConfigError: a meta-SAE is asked for, the run's tokenizer cannot be loaded here, or it cuts
            the contexts into other tokens. Of the model no weight is read.
        RunError: an example names a token that its context does not have.
    """
    if about.sae["kind"] == "meta":
        raise ConfigError(
            f"{about.sae_id} reads decoder rows, not text, so Delphi has no use for it"
        )
    model = run_model(about.run, about.manifest.config)
    place = find_place(load_outline(model), model.place)
    text = context_tokens(about.run, model, load_tokenizer(model))
    notes = [*NOTES, *_more_notes(text)]
    if place.is_input:
        notes.append(f"activations are read from the input of {place.module_name}, not its output")
    cache, explanations = folder / "latents" / place.module_name, folder / "explanations"
    cache.mkdir(parents=True)
    explanations.mkdir()
    edges = _edges(about.first, about.end)
    examples = LatentRows(
        about.run, "examples", about.sae_id, ("context_id", "positions", "activations")
    )
    latents = LatentRows(about.run, "latents", about.sae_id, ("label", "label_source"))
    labels = RunLabels(about)
    with tqdm(total=about.end - about.first, desc=f"{about.sae_id} for Delphi") as bar:
        for first, end in pairwise(edges):
            split = _split(examples.between(first, end), text, first)
            save_file({**split, "tokens": text.tokens}, cache / f"{first}_{end - 1}.safetensors")
            for row in latents.between(first, end).to_pylist():
                label = labels.of(row)
                if label is not None:
                    path = explanations / f"{place.module_name}_latent{row['latent']}.txt"
                    path.write_text(json.dumps(label.text), encoding="utf-8")
            bar.update(end - first)
    (folder / "sequences.json").write_text(json.dumps(text.context_ids.tolist()))
    config = _config(about, text, model_name or about.manifest.model_id, len(edges) - 1, notes)
    (cache / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return notes


def _split(examples: pa.Table, text: ContextTokens, first: int) -> dict[str, np.ndarray]:
    """`locations` [n, 3] and `activations` [n], in the order of sequence, position and latent.

    A context that stands in several groups of a latent counts once; one that could not be tokenised
    again not at all.
    """
    latents, context_ids = (
        examples[name].to_numpy().astype(np.int64) for name in ("latent", "context_id")
    )
    taken = np.zeros(len(latents), bool)
    pairs = np.stack([latents, context_ids], 1)
    taken[np.unique(pairs, axis=0, return_index=True)[1]] = True
    taken &= np.isin(context_ids, text.context_ids)
    sequences = np.searchsorted(text.context_ids, context_ids[taken])
    examples = examples.filter(pa.array(taken))
    lists = examples["positions"].combine_chunks()
    lengths = lists.value_lengths().to_numpy()
    positions = lists.flatten().to_numpy().astype(np.int64) + text.n_before
    activations = examples["activations"].combine_chunks().flatten().to_numpy()
    if len(positions) != len(activations) or positions.max(initial=0) >= text.tokens.shape[1]:
        raise RunError(
            "examples.parquet names a token that its context does not have. Make the run again"
        )
    if np.abs(activations).max(initial=0) > np.finfo(np.float16).max:
        raise ConfigError("an activation exceeds 65,504, the largest number in Delphi's float16")
    columns = (np.repeat(sequences, lengths), positions, np.repeat(latents[taken] - first, lengths))
    locations = np.stack(columns, 1)
    kept = np.flatnonzero(np.abs(activations) > LEAST_ACTIVATION)
    kept = kept[np.lexsort(locations[kept].T[::-1])]
    locations = locations[kept]
    is_small = locations.max(initial=0) < MOST_IN_SPLIT
    return {
        "locations": locations.astype(np.uint16 if is_small else np.uint32),
        "activations": activations[kept].astype(np.float16),
    }


def _edges(first: int, end: int) -> list[int]:
    """Where files begin, and the end: five as in Delphi, more for very many latents."""
    n = end - first
    n_splits = min(n, max(N_SPLITS, -(-n // MOST_IN_SPLIT)))
    return [first + n * split // n_splits for split in range(n_splits + 1)]


def _more_notes(text: ContextTokens) -> Iterator[str]:
    if text.n_left_out:
        yield (
            f"{text.n_left_out} contexts, cut out of longer documents, are left out: their text "
            "alone has other tokens"
        )
    if text.n_inner:
        yield (
            f"{text.n_inner} contexts begin inside a document; their first token may be another "
            "piece of the same characters"
        )


def _config(
    about: RunSae, text: ContextTokens, model_name: str, n_splits: int, notes: list[str]
) -> dict[str, object]:
    """Delphi's `CacheConfig` and `model_name`, null where a run has no such thing, and our part."""
    return {
        "dataset_repo": None,
        "dataset_split": None,
        "dataset_name": None,
        "dataset_column": None,
        "batch_size": None,
        "cache_ctx_len": text.tokens.shape[1],
        "n_tokens": text.tokens.size,
        "n_splits": n_splits,
        "model_name": model_name,
        "subatomic": {
            "run": about.manifest.run,
            "content_hash": about.manifest.content_hash,
            "sae_id": about.sae_id,
            "latents": [about.first, about.end],
            "examples_only": True,
            "notes": notes,
        },
    }
