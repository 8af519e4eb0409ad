"""Activations whose directions are known: sparse sums of more unit vectors than dimensions.

- superposition: every direction fires by itself (Elhage et al. 2022, "Toy Models of
  Superposition"; here the sums themselves stand for what a toy model would have learned).
- hierarchical: directions come as parents with children; a child fires only beside its parent, and
  of siblings at most one. An SAE saves latents by giving parent and child one direction together,
  which is absorption.

The sampling is sae-lens' (`sae_lens.synthetic`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sae_lens.synthetic import (
    ActivationGenerator,
    FeatureDictionary,
    HierarchyNode,
    hierarchy_modifier,
)

from precompute.experiments.toy_models.section import ToyModelsConfig

SUPERPOSITION, HIERARCHICAL = "superposition", "hierarchical"
TOYS = (SUPERPOSITION, HIERARCHICAL)


@dataclass(frozen=True)
class Toy:
    """Rows and where they come from."""

    truth: torch.Tensor
    """Unit directions float32 [n, d]; in a hierarchy each parent stands before its children."""
    codes: torch.Tensor
    """How much of each is in each row, float32 [n_rows, n], none below 0."""
    rows: torch.Tensor
    """codes @ truth, float32 [n_rows, d]."""

    @property
    def l0(self) -> float:
        """Directions that fire on a row, on average."""
        return float((self.codes > 0).float().sum(1).mean())


def make_toy(kind: str, settings: ToyModelsConfig, seed: int) -> Toy:
    """Directions at random, as far from each other as sae-lens can bring them, and rows of them."""
    n = settings.directions
    probability = torch.full((n,), settings.fires)
    modifier = None
    if kind == HIERARCHICAL:
        parents = parents_of(settings)
        probability = torch.where(parents < 0, settings.parent_fires, settings.child_fires)
        modifier = hierarchy_modifier(_trees(parents))
    with torch.random.fork_rng(devices=[]):  # sae-lens draws from the global generator
        torch.manual_seed(seed)
        truth = FeatureDictionary(n, settings.d, seed=seed).feature_vectors.detach()
        generator = ActivationGenerator(
            n, probability, settings.spread, 1.0, modify_activations=modifier
        )
        codes = generator.sample(settings.rows)
    return Toy(truth, codes, codes @ truth)


def parents_of(settings: ToyModelsConfig) -> torch.Tensor:
    """int64 [n]: the parent of each direction of a hierarchy, -1 for a parent itself."""
    index = torch.arange(settings.directions)
    size = settings.children + 1
    return torch.where(index % size == 0, -1, index // size * size)


def _trees(parents: torch.Tensor) -> list[HierarchyNode]:
    children: dict[int, list[HierarchyNode]] = {}
    for index, parent in enumerate(parents.tolist()):
        if parent >= 0:
            children.setdefault(parent, []).append(HierarchyNode(index))
    return [
        HierarchyNode(parent, own, mutually_exclusive_children=True)
        for parent, own in children.items()
    ]
