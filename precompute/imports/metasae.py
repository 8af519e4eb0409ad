"""The files of the dashboard that Leask, Bussmann et al. (2025) published with their meta-SAE.

`feature_stats_gpt2.pth` has everything by latent, `feature_descriptions.json` the labels of latents
and meta-latents, `dataset.pth` the tokens of the text. None says which model or SAE it is about.
Positions were counted after the first token was dropped: the place in the text is one further on.
Its list of strongest examples is not always the 100 strongest, but has the strongest.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from precompute.config import ConfigError
from precompute.imports.bounded_files import index_of, json_object
from precompute.imports.foreign import (
    MOST_TOKENS,
    SHOWN_TOP,
    SIDE_TOKENS,
    TOP,
    Example,
    ForeignSet,
    clean_text,
    number,
)
from precompute.imports.identity import Identity
from precompute.imports.shared_parts import Decomposition, decomposition
from precompute.imports.token_texts import TokenTexts
from precompute.imports.vocabulary import Vocabulary
from precompute.imports.weights_only import load_plain

STATISTICS, DATASET = "feature_stats*.pth", "dataset.pth"
DESCRIPTIONS = "feature_descriptions.json"
EXPLAINED_BY = "the dashboard of the meta-SAE paper"
LONGEST_LABEL = 200
DROPPED_TOKENS = 1  # at the start of each context


def read_metasae(
    path: Path, identity: Identity, vocabulary: Vocabulary | None
) -> tuple[ForeignSet, Decomposition]:
    """What the files in a folder say about the latents of an SAE, or of its meta-SAE.

    Args:
        path: the folder, or the file of statistics.
        identity: of an SAE of kind `meta`, their meta-latents are read instead of the latents.
        vocabulary: of the model's tokenizer; without it no example can be read.

    Returns:
        The latents, and their decomposition.

    Raises:
        ConfigError: a file is missing, damaged or needs a type that is not read, or its latents are
            not as many as the SAE's.
    """
    statistics_path = _statistics_path(path)
    folder = statistics_path.parent
    statistics = load_plain(statistics_path)
    if not isinstance(statistics, dict):
        raise ConfigError(f"{statistics_path} holds no table of statistics")
    found = ForeignSet("metasae", {"tool": "The meta-SAE dashboard"})
    _compare(statistics, statistics_path, found, identity)
    labels, meta_labels = _descriptions(folder / DESCRIPTIONS)
    reading = _Reading(found, statistics, statistics_path, identity)
    is_meta = identity.sae["kind"] == "meta"
    parts = list(reading.pairs("feature_to_clusters", is_own=not is_meta))
    theirs = decomposition((latent, part) for latent, part, _ in parts)
    if is_meta:
        reading.explain(meta_labels)
        reading.promoted("meta_feature_top_boosted_logits")
        return found, theirs
    reading.explain(labels)
    reading.promoted("top_boosted_logits")
    reading.counts("feature_token_count")
    reading.strongest("highly_activating_indices")
    for latent, part, weight in sorted(parts, key=lambda row: -row[2]):
        found.latent(latent).parts.append((part, weight, meta_labels.get(part, "")))
    if vocabulary is not None and (folder / DATASET).exists():
        reading.examples("highly_activating_indices", folder / DATASET, vocabulary)
    return found, theirs


class _Reading:
    """Tables by latent, checked as they are read."""

    def __init__(
        self, found: ForeignSet, statistics: dict[Any, Any], path: Path, identity: Identity
    ) -> None:
        self._found = found
        self._statistics = statistics
        self._path = path
        self._identity = identity
        self._texts = TokenTexts()

    def explain(self, labels: dict[int, str]) -> None:
        for index, text in labels.items():
            self._identity.check_index(index, DESCRIPTIONS)
            self._found.latent(index).explain(text, EXPLAINED_BY)

    def promoted(self, name: str) -> None:
        for index, rows in self._table(name):
            self._found.latent(index).promoted = self._tokens(rows)

    def counts(self, name: str) -> None:
        for index, table in self._table(name):
            if isinstance(table, dict):
                rows = sorted(table.items(), key=lambda row: -(number(row[1]) or 0.0))
                self._found.latent(index).fires_on = self._tokens(rows)

    def strongest(self, name: str) -> None:
        for index, rows in self._table(name):
            values = [value for *_, value in _rows(rows, 3) if number(value) is not None]
            if values:
                self._found.latent(index).max_activation = float(max(values))

    def pairs(self, name: str, is_own: bool) -> Iterable[tuple[int, int, float]]:
        """(latent, other, weight) of a table of lists of (other, weight)."""
        for index, rows in self._table(name, is_own):
            for other, weight in _rows(rows, 2):
                at, value = index_of(other), number(weight)
                if at is not None and value is not None:
                    yield index, at, value

    def examples(self, name: str, path: Path, vocabulary: Vocabulary) -> None:
        """The strongest firings of each latent in the tokens of `dataset.pth` [n, n_positions]."""
        tokens = load_plain(path)
        if getattr(tokens, "ndim", 0) != 2:
            raise ConfigError(f"{path} is no table of tokens [n, n_positions]")
        for index, rows in self._table(name):
            ranked = sorted(_rows(rows, 3), key=lambda row: -(number(row[2]) or 0.0))
            for sequence, position, value in ranked[:SHOWN_TOP]:
                row, at, strength = index_of(sequence), index_of(position), number(value)
                if row is None or at is None or strength is None or strength <= 0:
                    continue
                at += DROPPED_TOKENS
                if row >= tokens.shape[0] or at >= tokens.shape[1]:
                    raise ConfigError(f"{path} has no token {at} of context {row}")
                start = max(at - SIDE_TOKENS, 0)
                ids = [int(each) for each in tokens[row, start : at + SIDE_TOKENS + 1].tolist()]
                shown = self._texts.of_context(vocabulary.tokens(ids))
                values = [0.0] * len(ids)  # of the tokens around it nothing is known
                values[at - start] = strength
                self._found.latent(index).keep(Example(TOP, shown, values, at - start))

    def _table(self, name: str, is_own: bool = True) -> Iterable[tuple[int, Any]]:
        """Rows of one table by latent; where they are of another SAE, any index is allowed."""
        table = self._statistics.get(name)
        for key, value in table.items() if isinstance(table, dict) else ():
            index = index_of(key)
            if index is None:
                raise ConfigError(f"{self._path}, {name}: {key!r} is no index of a latent")
            if is_own:
                self._identity.check_index(index, f"{self._path}, {name}")
            yield index, value

    def _tokens(self, rows: Any) -> list[tuple[str, float]]:
        pairs = [(token, number(value)) for token, value in _rows(rows, 2)]
        known = [(token, value) for token, value in pairs if value is not None][:MOST_TOKENS]
        shown = self._texts.of_each([token for token, _ in known])
        return [(text, value) for text, (_, value) in zip(shown, known, strict=True)]


def _compare(statistics: dict[Any, Any], path: Path, found: ForeignSet, identity: Identity) -> None:
    """The files do not say what they are about; what the user says is compared with the run."""
    width = index_of(statistics.get("n_features"))
    if width is None:
        raise ConfigError(f"{path} does not say how many latents it has (n_features)")
    if identity.sae["kind"] != "meta":
        identity.check_width(width, str(path), is_exact=True)
    identity.check_asked()
    for name, asked in (("model", identity.asked_model), ("source", identity.asked_source)):
        if asked is not None:
            found.about[name] = asked


def _statistics_path(path: Path) -> Path:
    if path.is_file():
        return path
    files = sorted(path.glob(STATISTICS)) if path.is_dir() else []
    if len(files) != 1:
        raise ConfigError(
            f"{path} has {len(files)} files {STATISTICS}. Give the folder of one, or the file"
        )
    return files[0]


def _descriptions(path: Path) -> tuple[dict[int, str], dict[int, str]]:
    """Labels of latents and of meta-latents; none when there is no file."""
    if not path.exists():
        return {}, {}
    content = json_object(path)
    found = []
    for name in ("features", "meta_features"):
        table = content.get(name)
        labels = {}
        for key, text in table.items() if isinstance(table, dict) else ():
            index = index_of(key)
            if index is None:
                raise ConfigError(f"{path}, {name}: {key!r} is no index of a latent")
            labels[index] = clean_text(text, LONGEST_LABEL)
        found.append(labels)
    return found[0], found[1]


def _rows(rows: Any, n: int) -> list[tuple[Any, ...]]:
    """Those of a list's entries that have `n` fields."""
    listed = rows if isinstance(rows, list | tuple) else ()
    return [tuple(row) for row in listed if isinstance(row, list | tuple) and len(row) == n]
