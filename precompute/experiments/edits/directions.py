"""Edits by directions in the model's activations, for comparison: they know nothing of an SAE.

Both kinds are fitted to other entities than those that are edited: to their mean activations at the
last token in reach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import RidgeCV
from torch.nn.functional import normalize

from precompute.experiments.edits.laboratory import Edit, Laboratory
from precompute.experiments.edits.pairs import Pair
from precompute.experiments.edits.questions import UNKNOWN

ALPHAS = (0.01, 0.1, 1.0, 10.0, 100.0)  # of the ridge, on rows whose mean square length is 1


@dataclass(frozen=True)
class ValueDirections:
    """Of one attribute: a mean and a probe's weights [d_in] for the first token of each value."""

    means: dict[int, torch.Tensor]
    weights: dict[int, torch.Tensor]

    def difference(self, own: int, other: int) -> torch.Tensor:
        """From the mean of one value to that of another."""
        return self.means[other] - self.means[own]

    def probed(self, own: int, other: int) -> torch.Tensor:
        """Along the difference of the probe's weights, as far as the means are apart."""
        along = self.weights[other] - self.weights[own]
        length = self.difference(own, other).norm()
        return along * (length / along.norm().clamp_min(1e-12))


def value_directions(lab: Laboratory) -> tuple[ValueDirections, ...]:
    """Of each attribute, from the entities for fitting.

    The probe is a ridge regression onto one column a value, its penalty chosen by leave-one-out.
    """
    means = lab.scenes.entity_means()
    found = []
    for attribute in range(len(lab.table.attributes)):
        answers = lab.table.answers[lab.pools.fitting, attribute]
        members = lab.pools.fitting[answers != UNKNOWN]
        rows = means[members].double().numpy()
        values = lab.table.answers[members, attribute]
        tokens = np.unique(values)
        if len(tokens) < 2:
            found.append(ValueDirections({}, {}))
            continue
        centred = rows - rows.mean(0)
        scale = float(np.sqrt((centred**2).sum(1).mean()))
        one_hot = (values[:, None] == tokens).astype(float)
        weights = np.asarray(RidgeCV(ALPHAS).fit(centred / scale, one_hot).coef_)
        found.append(
            ValueDirections(
                {int(t): torch.from_numpy(rows[values == t].mean(0)).float() for t in tokens},
                {int(t): torch.from_numpy(w).float() for t, w in zip(tokens, weights, strict=True)},
            )
        )
    return tuple(found)


def along(pair: Pair, vector: torch.Tensor) -> Edit:
    """`vector` [d_in] added to every token in reach."""
    return Edit(pair, lambda scene: scene.is_reached[:, None] * vector.to(scene.x))


def at_random(edit: Edit, d_in: int, generator: torch.Generator) -> Edit:
    """A random direction, as long at each token as what `edit` adds there."""
    unit = normalize(torch.randn(d_in, generator=generator), dim=0)
    return Edit(
        edit.pair, lambda scene: edit.delta(scene).norm(dim=1, keepdim=True) * unit.to(scene.x)
    )
