"""An SAE as Neuronpedia's bulk files: `features`, `activations`, `explanations`, and their scores.

Batches hold 1,024 latents each, batch N those from 1024 N on, one JSON object a line, gzipped. They
are made one after the other, so memory does not grow with the number of latents.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.compute import field
from tqdm.auto import tqdm

from backend.manifest import RunError
from backend.schema import EXAMPLE_GROUPS
from precompute.exports.neuronpedia_rows import (
    activation_row,
    explanation_row,
    feature_row,
    group_bounds,
    score_rows,
    token_strings,
)
from precompute.exports.neuronpedia_source import Source, json_line, write_source
from precompute.exports.run_labels import RunLabels
from precompute.exports.run_rows import LatentRows
from precompute.exports.run_sae import Row, RunSae

BATCH_LATENTS = 1024
GZIP_LEVEL = 5
LATENT_COLUMNS = (
    "label", "label_source", "label_score", "label_accuracy", "label_auc", "label_tests", "count",
    "tokens_seen", "max_activation", "histogram_edges", "histogram_counts", "promoted",
    "suppressed",
)  # fmt: skip
EXAMPLE_COLUMNS = (
    "group",
    "rank",
    "context_id",
    "position",
    "activation",
    "positions",
    "activations",
)
NOTES = (
    "activations are the examples that the run keeps of each latent, not every firing",
    "tokens are pieces of the original text, each with the space before it",
    "the group `random` has no binMin, binMax and binContains",
    "binContains is read off the histogram of the counted text, evenly inside its bins",
    "creatorId and authorId are null without --creator-id, and an import needs them",
    "explanation-scores has the columns of ExplanationScore; Neuronpedia's import does not read it",
)


def write_neuronpedia(folder: Path, about: RunSae, source: Source) -> None:
    """Write the bulk files of an SAE's latents.

    Raises:
        RunError: a row of the run makes no sense, e.g. an example of a context that is not there.
    """
    contexts = _Contexts(about.run)
    write_source(folder, source, about, len(contexts), contexts.longest)
    batches = _Batches(about, source, contexts)
    first, end = about.first, about.end
    with tqdm(total=end - first, desc=f"{about.sae_id} for Neuronpedia", unit=" latents") as bar:
        for number in range(first // BATCH_LATENTS, -(-end // BATCH_LATENTS)):
            low = max(first, number * BATCH_LATENTS)
            high = min(end, (number + 1) * BATCH_LATENTS)
            for name, rows in batches.between(low, high):
                path = folder / source.path / name / f"batch-{number}.jsonl.gz"
                _write_lines(path, rows, f"{about.sae_id}, latents {low} to {high - 1}")
            bar.update(high - low)


class _Contexts:
    """The shown text of a run in memory, with tokens made as they are asked for."""

    def __init__(self, run: Path) -> None:
        columns = ["context_id", "source", "text", "token_ends"]
        self._table = pq.read_table(run / "contexts.parquet", columns=columns)
        ids = self._table["context_id"].to_pylist()
        self._rows = {context_id: row for row, context_id in enumerate(ids)}
        lengths = (chunk.value_lengths() for chunk in self._table["token_ends"].chunks)
        self.longest = max((max(chunk.to_pylist(), default=0) for chunk in lengths), default=0)

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, context_ids: Iterable[int]) -> dict[int, tuple[str, list[str]]]:
        """Source and tokens of some contexts by id.

        Raises:
            KeyError: the run has no such context.
        """
        wanted = [self._rows[context_id] for context_id in sorted(set(context_ids))]
        rows = self._table.take(pa.array(wanted, pa.int64())).to_pylist()
        return {
            row["context_id"]: (row["source"], token_strings(row["text"], row["token_ends"]))
            for row in rows
        }


class _Batches:
    """Rows of each folder for a range of latents."""

    def __init__(self, about: RunSae, source: Source, contexts: _Contexts) -> None:
        run, sae_id = about.run, about.sae_id
        self._source, self._contexts = source, contexts
        self._threshold = about.sae["threshold"]
        self._id = f"subatomic-{about.manifest.short_hash}-{sae_id}"
        self._labels = RunLabels(about)
        self._latents = LatentRows(run, "latents", sae_id, LATENT_COLUMNS)
        self._examples = LatentRows(run, "examples", sae_id, EXAMPLE_COLUMNS)
        columns = ("other_sae_id", "other_latent", "cosine")
        self._neighbours = LatentRows(run, "neighbours", sae_id, columns)
        self._same_sae = field("other_sae_id") == sae_id

    def between(self, first: int, end: int) -> Iterator[tuple[str, Iterator[Row]]]:
        """Folder and rows, for each folder."""
        latents = self._latents.between(first, end).to_pylist()
        yield "features", self._features(latents, first, end)
        yield "explanations", self._explanations(latents)
        yield "explanation-scores", self._scores(latents)
        yield "activations", self._activations(latents, first, end)

    def _features(self, latents: list[Row], first: int, end: int) -> Iterator[Row]:
        near: dict[int, list[tuple[int, float]]] = {}
        for row in self._neighbours.between(first, end, self._same_sae).to_pylist():
            near.setdefault(row["latent"], []).append((row["other_latent"], row["cosine"]))
        for row in latents:
            yield feature_row(self._source, row, near.get(row["latent"], []))

    def _explanations(self, latents: list[Row]) -> Iterator[Row]:
        for row in latents:
            label = self._labels.of(row)
            if label is not None:
                row_id = f"{self._id}-{row['latent']}"
                yield explanation_row(self._source, row["latent"], label, row_id)

    def _scores(self, latents: list[Row]) -> Iterator[Row]:
        for row in latents:
            label = self._labels.of(row)
            if label is not None and label.is_of_run:
                yield from score_rows(self._source, row, f"{self._id}-{row['latent']}")

    def _activations(self, latents: list[Row], first: int, end: int) -> Iterator[Row]:
        examples = self._examples.between(first, end).to_pylist()
        contexts = self._contexts.of(example["context_id"] for example in examples)
        by_latent: dict[int, list[Row]] = {}
        for example in examples:
            by_latent.setdefault(example["latent"], []).append(example)
        for row in latents:
            own = by_latent.get(row["latent"], [])
            shown_maximum = max((one["activation"] for one in own), default=self._threshold)
            bounds = group_bounds(row, self._threshold, shown_maximum)
            for one in sorted(own, key=lambda one: EXAMPLE_GROUPS.index(one["group"])):
                data, tokens = contexts[one["context_id"]]
                row_id = (
                    f"{self._id}-{one['latent']}-{one['group'].replace(' ', '-')}-{one['rank']}"
                )
                made = activation_row(self._source, one, tokens, bounds[one["group"]], data)
                yield {"id": row_id, **made}


def _write_lines(path: Path, rows: Iterator[Row], what: str) -> None:
    """A gzipped file of JSON lines; none when there is no row, as an import cannot read that."""
    try:
        first = next(rows, None)
        if first is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # without name and time, so that the same rows give the same bytes
        with (
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) as packed,
        ):
            packed.write(json_line(first).encode())
            for row in rows:
                packed.write(json_line(row).encode())
    except (ValueError, LookupError, pa.ArrowException) as error:
        raise RunError(
            f"{what}: {path.parent.name} cannot be written ({error}). Make the run again: a row of "
            "it holds no number, or names a context or a token that is not there"
        ) from error
