"""The SAEs, latents and decompositions planted in the fixture run, worked out by hand.

`sae-32` is decomposed by `meta-4`; `sae-8` is not. Decoder rows are built from four orthonormal
directions, a shared bias direction and a residual direction, so that each cosine and share can be
worked out by hand: a row of weights (0.6, 0.6) with bias 0.2 has squared length
0.36 + 0.36 + 0.04 + residual^2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]

SMALL, WIDE, META = "sae-8", "sae-32", "meta-4"
META_LABELS = ("german", "scientist", "words in e-", "city")
BIAS, RESIDUAL = 0.2, 0.4  # of every decomposed row of `sae-32`, along their own directions
TOKENS_SEEN = 100_000

# word -> weights on the four meta-directions; the position in this dict is the latent's index
PLANTED: dict[str, tuple[float, float, float, float]] = {
    "einstein": (0.5, 0.6, 0.4, 0.0),
    "berlin": (0.6, 0.0, 0.0, 0.7),
    "curie": (0.0, 0.9, 0.0, 0.0),
    "paris": (0.0, 0.0, 0.0, 0.9),
    "euler": (0.3, 0.7, 0.5, 0.0),
    "edinburgh": (0.0, 0.0, 0.6, 0.8),
    "planck": (0.7, 0.5, 0.0, 0.0),
    "einsteinium": (0.2, 0.4, 0.7, 0.0),
    "hamburg": (0.5, 0.0, 0.0, 0.6),
    "erfurt": (0.4, 0.0, 0.4, 0.5),
    "röntgen": (0.6, 0.4, 0.0, 0.0),
    "darwin": (0.0, 0.8, 0.0, 0.0),
    "munich": (0.6, 0.0, 0.0, 0.5),
    "eagle": (0.0, 0.0, 0.8, 0.0),
    "zweistein": (0.8, 0.0, 0.0, 0.0),
    "geneva": (0.0, 0.1, 0.0, 0.7),
}
HOSTILE = (
    "<script>alert(1)</script>",
    'it\'s "quoted"',
    "\u202eabc",
    "🙂",
    "$x$",
    ":red[x]",
    "[a](b)",
    "100%_\\",
)
DEAD, DENSE, NO_COMPONENT = 28, 29, 30
COMMON = list(PLANTED).index("erfurt")  # fires on 1 token in 100
FREQUENT = {(WIDE, DENSE): 60_000, (WIDE, COMMON): 1_000}
ONLY_PROMOTES = 19  # promotes "einstein" but does not fire on it
SMALL_LABELS = ("einstein", "german", "city", "scientist", "paris", "eagle", "darwin", "the")


def labels() -> list[str]:
    """Labels of `sae-32` by index; "" for a latent without one."""
    fillers = [f"filler{i}" for i in range(len(PLANTED), 20)]
    return [*PLANTED, *fillers, *HOSTILE, "", "the", "lonely", "last"]


def weights(latent: int) -> tuple[float, float, float, float]:
    """Weights of a latent of `sae-32` on the four meta-latents; all 0 for `NO_COMPONENT`."""
    if latent == NO_COMPONENT:
        return (0.0, 0.0, 0.0, 0.0)
    planted = list(PLANTED.values())
    return planted[latent] if latent < len(planted) else (0.0, 0.0, 0.0, 0.5)


def norm(latent: int) -> float:
    """Length of the decoder row of a latent of `sae-32`."""
    return math.sqrt(sum(w * w for w in weights(latent)) + BIAS**2 + RESIDUAL**2)


def fire_count(sae_id: str, latent: int) -> int:
    if sae_id == META:
        return sum(weights(other)[latent] > 0 for other in range(32))
    if sae_id == WIDE and latent == DEAD:
        return 0
    return FREQUENT.get((sae_id, latent), 100 - latent)


def sae_rows() -> Iterator[Row]:
    for sae_id, n_latents in ((SMALL, 8), (WIDE, 32), (META, 4)):
        is_meta = sae_id == META
        yield {
            "sae_id": sae_id,
            "kind": "meta" if is_meta else "sae",
            "parent_sae_id": WIDE if is_meta else None,
            "model_id": "planted",
            "hook_name": "hidden_states[1]",
            "architecture": "batchtopk",
            "d_in": 6,
            "n_latents": n_latents,
            "k": 2.0,
            "threshold": 0.05,
            "l0": 2.0,
            "variance_explained": 0.8,
            "variance_explained_heldout": None if is_meta else 0.75,
            "dead_fraction": 1 / 32 if sae_id == WIDE else 0.0,
            "seed": 0,
            "decoder_sha256": f"{sae_id:0>64}",
            "decoder_bias": [0.0] * 6,
            "logits_through": "token embedding",
            "release": None,
            "release_sae_id": None,
            "neuronpedia_id": "gpt2-small/8-res_fs49152-jb" if sae_id == SMALL else None,
        }


def latent_rows(components: list[Row]) -> Iterator[Row]:
    for sae_id, names in ((SMALL, list(SMALL_LABELS)), (WIDE, labels()), (META, META_LABELS)):
        for latent, label in enumerate(names):
            count = fire_count(sae_id, latent)
            is_wide, is_alive = sae_id == WIDE, count > 0
            row = [c for c in components if c["latent"] == latent] if is_wide else []
            length = norm(latent)
            bias, residual = BIAS**2 / length**2, RESIDUAL**2 / length**2
            if is_wide and not row:
                residual = 1 - bias
            yield {
                "sae_id": sae_id,
                "latent": latent,
                "label": label,
                "label_source": _label_source(sae_id, label),
                "label_kind": _label_kind(sae_id, label),
                "label_score": round(0.95 - latent / 100, 2) if label else None,
                "label_accuracy": round(0.9 - latent / 100, 2) if label and latent % 4 else None,
                "label_auc": round(0.92 - latent / 100, 2) if label and latent % 4 else None,
                "label_tests": 40 if label and latent % 4 else 0,
                "count": count,
                "tokens_seen": 32 if sae_id == META else TOKENS_SEEN,
                "mean_activation": 1.0 if is_alive else 0.0,
                "max_activation": 2.0 if is_alive else 0.0,
                "histogram_edges": [0.0, 1.0, 2.0] if is_alive else [],
                "histogram_counts": [count - count // 3, count // 3] if is_alive else [],
                "top_terms": [
                    {"term": label, "score": 0.9, "precision": 1.0, "recall": 0.8, "count": count}
                ]
                if is_alive
                else [],
                "promoted": [{"token": label, "logit": 2.0}, {"token": "##s", "logit": 1.0}],
                "suppressed": [{"token": "<b>no</b>", "logit": -1.5}],
                "x": None if sae_id == SMALL else math.cos(latent),
                "y": None if sae_id == SMALL else math.sin(latent),
                "n_components": len(row) if is_wide else None,
                "decomposition_cosine": math.sqrt(1 - residual) if is_wide else None,
                "decomposition_variance_explained": 1 - residual if is_wide else None,
                "bias_share": bias if is_wide else None,
                "residual_share": residual if is_wide else None,
                "head_shares": None,
            }


def _label_source(sae_id: str, label: str) -> str:
    if sae_id == META:
        return "spelling" if label.startswith("words in") else "meaning"
    return "term" if label else "none"


def _label_kind(sae_id: str, label: str) -> str:
    if sae_id == META:
        return _label_source(sae_id, label)
    return "word" if label else "none"


def direction(latent: int) -> list[float]:
    """Unit decoder row of a latent of `sae-32`: four meta-directions, bias, residual."""
    return [value / norm(latent) for value in (*weights(latent), BIAS, RESIDUAL)]


def direction_rows() -> Iterator[Row]:
    """Decoders of `sae-32` and `meta-4`; the encoder of a latent is its decoder row."""
    for sae_id, rows in (
        (WIDE, [direction(latent) for latent in range(32)]),
        (META, [[float(i == j) for j in range(6)] for i in range(4)]),
    ):
        for latent, row in enumerate(rows):
            scale = max(map(abs, row)) / 127
            packed = bytes(round(value / scale) % 256 for value in row)
            is_sae = sae_id == WIDE
            yield {
                "sae_id": sae_id,
                "latent": latent,
                "decoder": packed,
                "decoder_scale": scale,
                "encoder": packed if is_sae else None,
                "encoder_scale": scale if is_sae else None,
                "encoder_bias": -0.05 if is_sae else None,
                "encoder_threshold": None,
            }


def cofiring_rows() -> Iterator[Row]:
    """Each latent of `sae-32` fires with the next two, on 8 and 4 of the 10,000 sampled tokens."""
    for latent in range(32):
        for rank, together in enumerate((8, 4)):
            yield {
                "sae_id": WIDE,
                "latent": latent,
                "rank": rank,
                "other_latent": (latent + rank + 1) % 32,
                "together": together,
                "fired": 10,
                "other_fired": 10,
                "tokens_seen": 10_000,
            }


def component_rows() -> Iterator[Row]:
    for latent in range(32):
        for meta_latent, weight in enumerate(weights(latent)):
            if weight:
                yield {
                    "meta_sae_id": META,
                    "latent": latent,
                    "meta_latent": meta_latent,
                    "activation": weight,
                    "cosine": weight / norm(latent),
                    "share": weight**2 / norm(latent) ** 2,
                    "stability": 1.0 if weight >= 0.4 else 0.5,
                }
