"""Letters or classes that the model holds linearly, and which latents of an SAE stand for them."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np
import torch
from scipy import sparse

from precompute.dictionary import Dictionary
from precompute.experiments.absorption.absorbed import Absorbed, absorbed
from precompute.experiments.absorption.classes import TABLES
from precompute.experiments.absorption.probes import Probe, SparseProbe, probe, sparse_probe
from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.absorption.words import WordActivations


@dataclass(frozen=True)
class Kind:
    """What the concepts are, and how the settings of their figures begin."""

    one: str
    many: str
    n: int
    """How many there could be."""
    prefix: str = ""

    def setting(self, name: str) -> str:
        return self.prefix + name


LETTER = Kind("letter", "letters", len(ascii_lowercase))
CLASS = Kind("class", "classes", len(TABLES), "classes: ")


@dataclass(frozen=True)
class Concept:
    """One letter or class that the probe knows, and what the SAE makes of it."""

    label: str
    known: Probe
    sparse: SparseProbe


@dataclass(frozen=True)
class Asked:
    """One concept at the test words of it that its probe gets right."""

    concept: Concept
    words: np.ndarray
    """int64, among all words"""
    found: Absorbed


def word_acts(sae: Dictionary, x: torch.Tensor) -> sparse.csr_matrix:
    """Activations [n_words, n_latents] of the SAE on activations of the model."""
    device = sae.W_dec.device
    blocks = [sparse.csr_matrix(sae.encode(part.to(device)).cpu().numpy()) for part in x.split(512)]
    stacked = sparse.csr_matrix(sparse.vstack(blocks))
    stacked.eliminate_zeros()
    return stacked


def probed(held: WordActivations, settings: AbsorptionConfig) -> dict[str, Probe]:
    """The probe of every label that has enough words for a test, beside words of others."""
    if len(np.unique(held.labels)) < 2:
        return {}
    x = held.x.double().numpy()
    labels, count = np.unique(held.labels[held.is_test], return_counts=True)
    return {
        str(label): probe(x, held.labels == label, held.is_test)
        for label in labels[count >= settings.least_test_words]
    }


def known_concepts(
    held: WordActivations,
    acts: sparse.csr_matrix,
    probes: dict[str, Probe],
    settings: AbsorptionConfig,
) -> list[Concept]:
    """Labels whose probe tells them well enough."""
    return [
        Concept(label, known, sparse_probe(acts, held.labels == label, held.is_test))
        for label, known in probes.items()
        if known.f1 >= settings.least_probe_f1
    ]


def asked_of(
    held: WordActivations,
    acts: sparse.csr_matrix,
    concepts: list[Concept],
    sae: Dictionary,
    order: np.ndarray | None = None,
) -> list[Asked]:
    """Absorption by the form without logits, concept by concept.

    Args:
        order: int64 [n_latents], for the control: the latents beside the main ones get each
            other's decoder rows. If any row at all makes an absorber, it is no absorber.
    """
    centred = held.x.double().numpy() - sae.b_dec.double().cpu().numpy()
    rows, found = sae.W_dec.double().cpu().numpy(), []
    for one in concepts:
        words = np.flatnonzero((held.labels == one.label) & held.is_test & one.known.says)
        own = rows @ one.known.direction
        cosines = own if order is None else own[order]
        cosines[one.sparse.main] = own[one.sparse.main]
        to_rebuild = centred[words] @ one.known.direction
        result = absorbed(sparse.csr_matrix(acts[words]), to_rebuild, cosines, one.sparse.main)
        found.append(Asked(one, words, result))
    return found
