"""What the stitching stage leaves in its work folder, and how it is read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from precompute.stitching.delta import DeltaMse, Pair, PassSums
from precompute.stitching.groups import SwapGroups
from precompute.writer import write_atomically

BY_PAIR = ("squared_error", "together")


@dataclass(frozen=True)
class Nearest:
    """For each latent of the larger SAE: its nearest latent of the smaller, and their cosine."""

    index: np.ndarray  # int64 [n_large]
    cosine: np.ndarray  # float32 [n_large]


@dataclass(frozen=True)
class PairResult:
    """Everything measured about a pair; `summary` holds the predictor and the curve."""

    pair: Pair
    nearest: Nearest
    delta: DeltaMse
    together: np.ndarray
    groups: SwapGroups
    summary: dict[str, Any]


def save_nearest(folder: Path, found: Mapping[Pair, Nearest]) -> None:
    arrays = {}
    for pair, nearest in found.items():
        arrays[_key("index", pair)] = nearest.index
        arrays[_key("cosine", pair)] = nearest.cosine
    _save_arrays(folder / "nearest.npz", arrays)


def load_nearest(folder: Path, pairs: tuple[Pair, ...]) -> dict[Pair, Nearest] | None:
    """None when it has not been saved yet."""
    path = folder / "nearest.npz"
    if not path.exists():
        return None
    arrays = np.load(path)
    return {p: Nearest(arrays[_key("index", p)], arrays[_key("cosine", p)]) for p in pairs}


def pass_path(folder: Path, number: int) -> Path:
    return folder / f"pass-{number}.npz"


def save_pass(path: Path, sums: PassSums) -> None:
    arrays = {"tokens": sums.tokens} | {f"fired {i}": array for i, array in sums.fired.items()}
    for name in BY_PAIR:
        arrays |= {_key(name, pair): array for pair, array in getattr(sums, name).items()}
    _save_arrays(path, arrays)


def load_pass(path: Path, sae_ids: tuple[str, ...], pairs: tuple[Pair, ...]) -> PassSums:
    arrays = np.load(path)
    by_pair = {name: {p: arrays[_key(name, p)] for p in pairs} for name in BY_PAIR}
    return PassSums(arrays["tokens"], {i: arrays[f"fired {i}"] for i in sae_ids}, **by_pair)


def pair_path(folder: Path, pair: Pair) -> Path:
    """The summary, which is written last."""
    return folder / f"pair-{pair[0]}-{pair[1]}.json"


def save_pair(folder: Path, result: PairResult) -> None:
    path = pair_path(folder, result.pair)
    arrays = {f"delta {name}": array for name, array in vars(result.delta).items()}
    arrays |= {f"groups {name}": np.asarray(array) for name, array in vars(result.groups).items()}
    arrays["together"] = result.together
    _save_arrays(path.with_suffix(".npz"), arrays)
    write_atomically(path, lambda temporary: temporary.write_text(json.dumps(result.summary)))


def load_pair(folder: Path, pair: Pair, nearest: Nearest) -> PairResult:
    path = pair_path(folder, pair)
    arrays = np.load(path.with_suffix(".npz"))

    def fields(kind: str) -> dict[str, np.ndarray]:
        prefix = f"{kind} "
        return {k.removeprefix(prefix): arrays[k] for k in arrays.files if k.startswith(prefix)}

    groups = fields("groups")
    giants = tuple(groups.pop("giants").tolist())
    return PairResult(
        pair=pair,
        nearest=nearest,
        delta=DeltaMse(**fields("delta")),
        together=arrays["together"],
        groups=SwapGroups(**groups, giants=giants),
        summary=json.loads(path.read_text()),
    )


def _key(name: str, pair: Pair) -> str:
    return f"{name} {pair[0]} {pair[1]}"


def _save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)

    def save(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    write_atomically(path, save)
