"""Named directions as a dictionary: unit rows both ways, a threshold each, nothing is trained.

1. The bias is the mean of the training rows, so an activation is the projection of a row, less the
   mean, on the direction.
2. A direction's threshold is the (1 - firing_share) quantile of its projections on training rows:
   it fires on the tokens that lie furthest along it, and each fires equally often. A negative
   quantile becomes 0, for a token on the other side of the mean does not lie along the direction.
3. The quantile is exact where there are few training rows, and else of a sample spread evenly over
   them in which `LEAST_FIRINGS` rows fire: the share then is right to about
   1 / sqrt(LEAST_FIRINGS) = 3 % of itself (one standard error).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from tqdm.auto import tqdm

from precompute.config import ConfigError
from precompute.dictionary import ROWS_AT_ONCE, Dictionary, row_blocks

LEAST_FIRINGS = 1000  # in the sample, above the threshold of every direction
LEAST_SAMPLE = 200_000  # rows that the mean is taken over, too
FEWEST_FIRINGS = 5  # of all training rows: a quantile of fewer is that of a few contexts
KEPT_VALUES = 1 << 25  # projections kept at once, 128 MiB: directions are taken in slices


def directions_dictionary(
    rows: np.ndarray, train: np.ndarray, firing_share: float, title: str, device: torch.device
) -> Dictionary:
    """The dictionary of unit `rows` [n, d] at the place that training rows [n_train, d] are from.

    Raises:
        ConfigError: `firing_share` leaves next to nothing.
    """
    if firing_share * len(train) < FEWEST_FIRINGS:
        least = FEWEST_FIRINGS / len(train)
        raise ConfigError(
            f"directions {title}: firing_share = {firing_share:g} of {len(train):,} training "
            f"tokens are fewer than {FEWEST_FIRINGS}. Give {least:.2g} or more, or add text"
        )
    sample = spread_rows(train, max(LEAST_SAMPLE, math.ceil(LEAST_FIRINGS / firing_share)))
    mean = torch.from_numpy(_mean(sample))
    units = torch.from_numpy(rows)
    bias = -(units @ mean)
    return Dictionary(
        W_enc=units.t().contiguous(),
        b_enc=bias,
        W_dec=units,
        b_dec=mean,
        threshold=firing_thresholds(units, bias, sample, firing_share, title, device),
    )


def spread_rows(rows: np.ndarray, least: int) -> np.ndarray:
    """Rows at even distances, at least `least` of them if there are so many; not read yet."""
    return rows[:: max(1, len(rows) // least)]


@torch.no_grad()
def firing_thresholds(
    units: torch.Tensor,
    bias: torch.Tensor,
    sample: np.ndarray,
    firing_share: float,
    title: str,
    device: torch.device,
) -> torch.Tensor:
    """float32 [n]: what the projection plus bias exceeds on `firing_share` of `sample`, at least 0.

    It lies half-way between the last projection that fires and the next one.
    """
    n_firing = max(1, round(firing_share * len(sample)))
    n_at_once = max(1, KEPT_VALUES // (2 * n_firing + ROWS_AT_ONCE))
    found = []
    with tqdm(total=len(units), desc=f"{title} thresholds", unit=" directions") as bar:
        for some, offset in zip(units.split(n_at_once), bias.split(n_at_once), strict=True):
            some, offset = some.to(device), offset.to(device)[:, None]
            best = torch.empty(len(some), 0, device=device)
            for block in row_blocks(sample, device):
                best = torch.cat([best, torch.addmm(offset, some, block.t())], 1)
                if best.shape[1] > 2 * n_firing:
                    best = best.topk(n_firing + 1, dim=1).values
            last = best.topk(n_firing + 1, dim=1).values[:, -2:]
            found.append(last.double().mean(1).float().cpu())
            bar.update(len(some))
    return torch.cat(found).clamp_min(0.0)


def _mean(rows: np.ndarray) -> np.ndarray:
    total = np.zeros(rows.shape[1])
    for block in row_blocks(rows, torch.device("cpu")):
        total += block.double().sum(0).numpy()
    return (total / len(rows)).astype(np.float32)
