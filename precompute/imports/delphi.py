"""Delphi's results: explanations, their scores, and the cache of activations.

explanations/{hookpoint}_latent{i}.txt      a JSON string
scores/{scorer}/{hookpoint}_latent{i}.txt   a JSON list of judged examples
latents/{hookpoint}/                        `precompute/imports/delphi_cache.py`
run_config.json                             which model, and which model explained
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from precompute.config import ConfigError
from precompute.imports.bounded_files import in_order, json_object, json_value
from precompute.imports.delphi_cache import read_cache
from precompute.imports.foreign import TOP, ForeignLatent, ForeignSet, numbers, window
from precompute.imports.identity import Identity
from precompute.imports.places import place_of
from precompute.imports.token_texts import TokenTexts
from precompute.imports.vocabulary import Vocabulary

EXPLANATIONS, SCORES, LATENTS = "explanations", "scores", "latents"
RUN_CONFIG, CACHE_CONFIG = "run_config.json", "config.json"
EXPORT_MARK = "subatomic"  # in the cache's config, by `precompute/exports/delphi.py`
MOST_EXPLANATION_BYTES = 1_000_000
MOST_SCORE_BYTES = 64_000_000
_NAME = re.compile(r"(.+)_(?:latent|feature)(\d{1,10})\.txt")


def read_delphi(path: Path, identity: Identity, vocabulary: Vocabulary | None) -> ForeignSet:
    """Everything below `results/{name}` about one hookpoint.

    Args:
        vocabulary: of the model's tokenizer; without it the cache's examples cannot be read.

    Raises:
        ConfigError: there is nothing, a file is damaged or about something else, or there are
            several hookpoints and none is named.
    """
    files = list(_named_files(path))
    caches = {folder.name: folder for folder in _folders(path / LATENTS)}
    hookpoints = sorted({file.hookpoint for file in files} | set(caches))
    hookpoint = _chosen(path, hookpoints, identity.asked_source)
    found = ForeignSet("delphi", {"tool": "Delphi", "source": hookpoint})
    explained_by, is_own = _compare_configs(path, caches.get(hookpoint), found, identity)
    if not is_own:  # our exports may name a module whose input is read
        identity.check_place(place_of(hookpoint), hookpoint, str(path))
    texts, n_unread = TokenTexts(), 0
    for file in files:
        if file.hookpoint != hookpoint:
            continue
        identity.check_index(file.latent, str(file.path))
        latent = found.latent(file.latent)
        if file.scorer is None:
            latent.explain(json_value(file.path, MOST_EXPLANATION_BYTES), explained_by)
        elif not _take_score(latent, file, texts):
            n_unread += 1
    if hookpoint in caches:
        read_cache(caches[hookpoint], found, identity, vocabulary, counts_all=not is_own)
    if n_unread:
        found.notes.append(f"{n_unread:,} files of scores are of a kind that is not read")
    if not found.latents:
        raise ConfigError(f"{path} holds no latent of {hookpoint}")
    return found


@dataclass(frozen=True)
class _File:
    path: Path
    hookpoint: str
    latent: int
    scorer: str | None


def _named_files(path: Path) -> Iterator[_File]:
    scorers = [(folder.name, folder) for folder in _folders(path / SCORES)]
    for scorer, folder in [(None, path / EXPLANATIONS), *scorers]:
        if folder.is_dir():
            for file in in_order(list(folder.iterdir())):
                if name := _NAME.fullmatch(file.name):
                    yield _File(file, name[1], int(name[2]), scorer)


def _folders(path: Path) -> list[Path]:
    return in_order([each for each in path.iterdir() if each.is_dir()]) if path.is_dir() else []


def _chosen(path: Path, hookpoints: list[str], asked: str | None) -> str:
    if not hookpoints:
        raise ConfigError(
            f"{path} is no folder of Delphi's results: nothing in {EXPLANATIONS}, {SCORES} or "
            f"{LATENTS}"
        )
    if asked is not None and asked not in hookpoints:
        raise ConfigError(f"{path} has no hookpoint {asked}; it has {', '.join(hookpoints[:20])}")
    if asked is None and len(hookpoints) > 1:
        raise ConfigError(
            f"{path} has several hookpoints: {', '.join(hookpoints[:20])}. Name one with --source"
        )
    return asked or hookpoints[0]


def _compare_configs(
    path: Path, cache: Path | None, found: ForeignSet, identity: Identity
) -> tuple[str, bool]:
    """Compare the model that the configs name, and note it.

    Returns:
        The model that explained, "" if unknown, and whether it is an export of this very SAE.
    """
    explained_by, is_own = "", False
    places = [(path / RUN_CONFIG, "model")]
    if cache is not None:
        places.append((cache / CACHE_CONFIG, "model_name"))
    for file, name in places:
        if not file.exists():
            continue
        config = json_object(file, MOST_EXPLANATION_BYTES)
        is_own = is_own or identity.check_export(config.get(EXPORT_MARK))
        model = config.get(name)
        if isinstance(model, str) and model:
            if not is_own:  # the model's name in an export is the choice of who made it
                identity.check_model(model, str(file))
            found.about["model"] = model
        by = config.get("explainer_model")
        explained_by = by if isinstance(by, str) else explained_by
    if identity.asked_model is not None:
        identity.check_model(identity.asked_model, "--model")
        found.about.setdefault("model", identity.asked_model)
    return explained_by, is_own


def _take_score(latent: ForeignLatent, file: _File, texts: TokenTexts) -> bool:
    """Work out one explanation's score and keep the strongest of its examples; False if it is no
    list of judged examples."""
    judged = json_value(file.path, MOST_SCORE_BYTES)
    rows = [row for row in judged if isinstance(row, dict)] if isinstance(judged, list) else []
    outcomes = [outcome for row in rows if (outcome := _outcome(row)) is not None]
    if not outcomes:
        return False
    accuracy, f1 = balanced_accuracy_and_f1(outcomes)
    latent.scores.append((file.scorer or "", accuracy, f1, len(outcomes)))
    for row in rows:
        tokens, values = row.get("str_tokens"), numbers(row.get("activations"))
        if isinstance(tokens, list) and tokens and len(tokens) == len(values):
            strongest = max(values)
            if strongest > 0 and latent.wants(TOP, strongest):
                shown = texts.of_context(tokens)
                latent.keep(window(TOP, shown, values, values.index(strongest)))
    return True


def _outcome(row: dict[str, Any]) -> tuple[bool, bool] | None:
    """(what the judge said, what is true) of one example; None when the judge gave no answer."""
    said, correct, active = (row.get(name) for name in ("prediction", "correct", "activating"))
    if said not in (0, 1):
        return None
    if correct in (0, 1):
        return bool(said), bool(said) == bool(correct)
    return (bool(said), bool(active)) if active in (0, 1) else None


def balanced_accuracy_and_f1(outcomes: list[tuple[bool, bool]]) -> tuple[float, float]:
    """From pairs of (said, true): the mean of both classes' recall, and F1 of the firing class.

    NaN where a figure is not defined: accuracy without examples of both classes, F1 when nothing
    is, or is said to be, of the firing class.
    """
    hits = sum(said and true for said, true in outcomes)
    n_true, n_said = sum(true for _, true in outcomes), sum(said for said, _ in outcomes)
    n_false = len(outcomes) - n_true
    refused = sum(not said and not true for said, true in outcomes)
    nan = float("nan")
    accuracy = (hits / n_true + refused / n_false) / 2 if n_true and n_false else nan
    f1 = 2 * hits / (n_true + n_said) if n_true + n_said else nan
    return accuracy, f1
