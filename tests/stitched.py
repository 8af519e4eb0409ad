"""Stitching of the planted run: `sae-8` to `sae-32`, every case with a known answer.

Latent i of the wider SAE is nearest to latent i mod 8 of the smaller one. The first 8 are copies,
the next 8 are similar (their halves of a split), the others are far. Far latents are novel but for
one (`FAR_RECONSTRUCTION`); of the similar ones one is novel all the same (`NEAR_NOVEL`).
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.planted import DEAD, SMALL, WIDE, Row, fire_count

FAR_RECONSTRUCTION, NEAR_NOVEL = 20, 9
SAMPLE_TOKENS = 50_000
CURVE = (  # action, n_small, n_large, L0, MSE, variance explained, effect, refit
    ("start", 8, 0, 4.0, 0.40, 0.60, 0.10, 0.60),
    ("insert", 8, 8, 5.0, 0.35, 0.65, 0.08, None),
    ("insert", 8, 16, 6.0, 0.30, 0.70, 0.06, 0.72),
    ("swap", 4, 24, 5.0, 0.25, 0.75, 0.05, 0.77),
    ("rest", 0, 32, 4.0, 0.21, 0.79, 0.04, 0.80),
    ("bias", 0, 32, 4.0, 0.20, 0.80, 0.04, None),
)


def max_cosine(latent: int) -> float:
    return 0.99 if latent < 8 else 0.75 if latent < 16 else 0.3 + latent / 1000


def kind(latent: int) -> str:
    if latent == DEAD:
        return "silent"
    far = latent >= 16
    is_novel = latent == NEAR_NOVEL or (far and latent != FAR_RECONSTRUCTION)
    return "novel" if is_novel else "reconstruction"


def delta_mse(latent: int) -> float:
    size = 1e-6 * (latent + 1)
    return {"novel": -size, "reconstruction": size, "silent": 0.0}[kind(latent)]


def stitching_rows() -> Iterator[Row]:
    for latent in range(32):
        fired = 0 if latent == DEAD else fire_count(WIDE, latent) // 2
        delta = delta_mse(latent)
        yield {
            "small_sae_id": SMALL,
            "large_sae_id": WIDE,
            "latent": latent,
            "delta_mse": delta,
            "ci_low": delta - 0.4e-6 * (fired > 0),
            "ci_high": delta + 0.4e-6 * (fired > 0),
            "fired": fired,
            "kind": kind(latent),
            "nearest_latent": latent % 8,
            "max_cosine": max_cosine(latent),
            "together": fired // 2 if latent < 16 else 0,
            "group": latent % 8 if latent < 16 else None,
        }


def group_rows() -> Iterator[Row]:
    for group in range(8):
        yield {
            "small_sae_id": SMALL,
            "large_sae_id": WIDE,
            "group": group,
            "mean_cosine": 0.87,
            "is_split": group == 7,
            "small_latents": [group],
            "large_latents": [group, group + 8],
        }


def curve_rows() -> Iterator[Row]:
    for step, (action, n_small, n_large, l0, mse, explained, effect, refit) in enumerate(CURVE):
        yield {
            "small_sae_id": SMALL,
            "large_sae_id": WIDE,
            "step": step,
            "action": action,
            "n_small": n_small,
            "n_large": n_large,
            "l0": l0,
            "mse": mse,
            "variance_explained": explained,
            "effect": effect,
            "effect_low": effect - 0.01,
            "effect_high": effect + 0.01,
            "kl": None,
            "refit_variance_explained": refit,
        }


def measurement_rows() -> Iterator[Row]:
    subject = f"{SMALL} to {WIDE}"
    seen = "latents that fired"
    rows = (
        ("stitching", subject, seen, "novel_share", 16 / 31, 31),
        ("stitching", subject, seen, "sign_clear", 31 / 31, 31),
        ("stitching", subject, "all latents", "silent_share", 1 / 32, 32),
        ("stitching", subject, "held-out", "tokens", SAMPLE_TOKENS, SAMPLE_TOKENS),
        ("stitching", subject, "max cosine as predictor", "auc", 0.95, 31),
        ("stitching", subject, "max cosine as predictor", "accuracy", 29 / 31, 31),
        ("stitching", subject, "max cosine as predictor", "best_accuracy", 29 / 31, 31),
        ("stitching", subject, "max cosine as predictor", "best_cut", 0.7, 31),
        ("stitching", subject, "max cosine as predictor", "majority", 16 / 31, 31),
        ("stitching", subject, "swap groups", "giant_latents", 0, 0),
        ("stitching", subject, "effect_own", "effect", 0.0, 20),
        ("stitching", subject, "effect_mean", "effect", 0.5, 20),
        ("merged", SMALL, "held-out", "n_latents", 8, 8),
        ("merged", SMALL, "held-out", "n_joined", 8, 8),
        ("merged", SMALL, "held-out", "l0", 4.0, 8),
        ("merged", SMALL, "held-out", "variance_explained", 0.6, 8),
        ("merged", WIDE, "held-out", "n_latents", 24, 24),
        ("merged", WIDE, "held-out", "n_joined", 16, 24),
        ("merged", WIDE, "held-out", "l0", 6.0, 24),
        ("merged", WIDE, "held-out", "variance_explained", 0.7, 24),
        ("splitting", SMALL, "has an ancestor", "share", 0.5, 32),
        ("splitting", SMALL, "ancestor is a component", "share", 0.6, 16),
        ("splitting", SMALL, "ancestor is a component", "chance", 0.1, 16),
    )
    for experiment, subject_, setting, metric, value, n in rows:
        is_share = metric in ("novel_share", "auc", "effect", "share")
        yield {
            "experiment": experiment,
            "subject": subject_,
            "setting": setting,
            "metric": metric,
            "value": value,
            "ci_low": value - 0.02 if is_share else None,
            "ci_high": value + 0.02 if is_share else None,
            "n": n,
        }
