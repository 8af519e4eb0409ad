"""Neuronpedia's bulk files: `explanations`, `features` and `activations`, `batch-N.jsonl.gz`.

A row says by itself what it is about: `modelId`, `layer` (which holds the source's id, such as
`8-res_fs49152-jb`) and `index` (a string). Of rows about one latent the later are used, but every
explanation is kept and the last is the label. `qualifyingTokenIndex` and the bins of activations
come from SAEDashboard as they are (`precompute/imports/activation_rows.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from precompute.config import ConfigError
from precompute.exports.folder import read_mark
from precompute.imports.activation_rows import FieldNames, keep_activation
from precompute.imports.bounded_files import in_order, index_of, json_lines
from precompute.imports.foreign import ForeignSet, number, numbers, paired
from precompute.imports.identity import Identity
from precompute.imports.model_names import is_same_model
from precompute.imports.places import place_of
from precompute.imports.token_texts import TokenTexts

FOLDERS = ("explanations", "features", "activations")
ENDINGS = (".jsonl", ".jsonl.gz")
ABOUT_A_SET = ("release", "model", "sourceset", "source")  # files about all of it
LEVELS_OF_AN_EXPORT = 3  # <export>/<model>/<source>/<kind of rows>
VECTORS_A_FILE = 32
DENSITY_STEP = "0.00001"  # densities were printed in percent with three decimals
MOST_OTHERS = 20
_FIELDS = FieldNames("binMin", "binMax", "qualifyingTokenIndex")


def read_neuronpedia(path: Path, identity: Identity) -> ForeignSet:
    """All rows below `path` that are about the SAE.

    Args:
        path: the folder of a source, one of its folders, a folder with one source somewhere below
            it (what `export neuronpedia` writes), or a single file.
        identity: the SAE that each row is compared with; when it names a model or a source, rows
            about others are passed over.

    Raises:
        ConfigError: there is no such file, a row lacks what it needs or is about something else,
            or there are several sources and none is named.
    """
    found = ForeignSet("neuronpedia", {"tool": "Neuronpedia", "density_step": DENSITY_STEP})
    path = _source_folder(path)
    reading = _Reading(found, identity, _is_own_export(path, identity))
    files = _files(path)
    for file in files:
        n_vectors = len(found.vectors)
        for line, row in json_lines(file):
            reading.take(row, f"{file}, line {line}", len(found.vectors) - n_vectors)
    if not found.latents:
        others = ", ".join(sorted(reading.others)[:MOST_OTHERS])
        raise ConfigError(
            f"{path} has no row about what --model and --source name"
            + (f"; it has {others}" if others else "")
        )
    if reading.n_again:
        found.notes.append(f"{reading.n_again:,} latents have several rows; the last is used")
    found.about |= {"model": reading.model or "", "source": reading.source or ""}
    return found


class _Reading:
    """What the rows so far said."""

    def __init__(self, found: ForeignSet, identity: Identity, is_own: bool) -> None:
        self.model: str | None = None
        self.source: str | None = None
        self.others: set[str] = set()
        self.n_again = 0
        self._found = found
        self._identity = identity
        self._is_own = is_own  # names in an export are the choice of who made it
        self._texts = TokenTexts()
        self._with_statistics: set[int] = set()

    def take(self, row: dict[str, Any], where: str, n_vectors: int) -> None:
        """One row; `n_vectors` decoder rows were kept of its file so far."""
        model, source = (_text_field(row, name, where) for name in ("modelId", "layer"))
        if not self._is_asked(model, source):
            if len(self.others) < MOST_OTHERS:
                self.others.add(f"{model}/{source}")
            return
        self._compare(model, source, where)
        index = index_of(row.get("index"))
        if index is None:
            raise ConfigError(f"{where}: no field index that is a whole number")
        self._identity.check_index(index, where)
        latent = self._found.latent(index)
        if "description" in row:
            by = (row.get("explanationModelName"), row.get("typeName"))
            names = [name for name in by if isinstance(name, str) and name]
            latent.explain(row["description"], ", ".join(names) or row.get("authorId"))
        elif "tokens" in row and "values" in row:
            keep_activation(latent, row, _FIELDS, self._texts)
        else:
            self._take_statistics(index, row, where, n_vectors)

    def _take_statistics(self, index: int, row: dict[str, Any], where: str, n_vectors: int) -> None:
        if "pos_str" not in row and "frac_nonzero" not in row and "maxActApprox" not in row:
            raise ConfigError(
                f"{where}: neither an explanation (description), nor an activation (tokens, "
                "values), nor a feature (pos_str, frac_nonzero, maxActApprox)"
            )
        self.n_again += index in self._with_statistics
        self._with_statistics.add(index)
        latent = self._found.latent(index)
        latent.density = number(row.get("frac_nonzero"))
        latent.max_activation = number(row.get("maxActApprox")) or latent.max_activation
        latent.promoted = logits(row, "pos_str", "pos_values", self._texts)
        latent.suppressed = logits(row, "neg_str", "neg_values", self._texts)
        vector = row.get("vector")
        if isinstance(vector, list) and vector and n_vectors < VECTORS_A_FILE:
            self._found.vectors[index] = np.array(numbers(vector), np.float32)
        hook = row.get("hookName")
        if isinstance(hook, str) and not self._is_own:
            self._identity.check_place(place_of(hook), hook, where)

    def _is_asked(self, model: str, source: str) -> bool:
        asked = self._identity
        return (asked.asked_model is None or is_same_model(asked.asked_model, model)) and (
            asked.asked_source is None or asked.asked_source.lower() == source.lower()
        )

    def _compare(self, model: str, source: str, where: str) -> None:
        if (model, source) == (self.model, self.source):
            return
        if self.model is not None and self.source is not None:
            if is_same_model(model, self.model) and source.lower() == self.source.lower():
                return
            raise ConfigError(
                f"{where}: about {model}/{source}, but earlier rows are about "
                f"{self.model}/{self.source}. Give one of them with --model and --source"
            )
        if not self._is_own:
            self._identity.check_model(model, where)
            self._identity.check_source(model, source, where)
        self.model, self.source = model, source


def logits(
    row: dict[str, Any], tokens: str, values: str, texts: TokenTexts
) -> list[tuple[str, float]]:
    """Tokens that a row promotes or suppresses, with their logits."""
    found = row.get(tokens)
    return paired(texts.of_each(found), row.get(values)) if isinstance(found, list) else []


def _text_field(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}: no field {name}")
    return value


def _is_own_export(folder: Path, identity: Identity) -> bool:
    """Whether `folder` is, or lies in, what our export of this very SAE wrote."""
    places = (folder, *folder.parents[:LEVELS_OF_AN_EXPORT])
    return any(identity.check_export(read_mark(place)) for place in places)


def _source_folder(path: Path) -> Path:
    """The folder of the one source at or below a path; the path itself where it is clear or none.

    Raises:
        ConfigError: there are several.
    """
    if path.is_file() or any((path / name).is_dir() for name in FOLDERS) or _rows_in(path):
        return path
    below = (folder for name in FOLDERS for folder in path.rglob(name) if folder.is_dir())
    sources = sorted({folder.parent for folder in below if _rows_in(folder)})
    if len(sources) > 1:
        names = ", ".join(str(source) for source in sources[:MOST_OTHERS])
        raise ConfigError(f"{path} has several sources: {names}. Give the folder of one of them")
    return sources[0] if sources else path


def _has_rows(file: Path) -> bool:
    return file.name.endswith(ENDINGS) and file.name.split(".")[0] not in ABOUT_A_SET


def _rows_in(folder: Path) -> list[Path]:
    return [file for file in in_order(list(folder.iterdir())) if _has_rows(file)]


def _files(path: Path) -> list[Path]:
    """The files to read: explanations, then statistics, then activations."""
    if path.is_file():
        return [path]
    folders = [path, *(path / name for name in FOLDERS)]
    files = [file for folder in folders if folder.is_dir() for file in _rows_in(folder)]
    if not files:
        raise ConfigError(
            f"{path} has no file *.jsonl.gz, nor has a folder {', '.join(FOLDERS)} in it"
        )
    return files
