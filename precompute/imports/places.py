"""Where in a model an SAE reads, from the many ways in which that is written.

Layers of the residual stream are counted in blocks passed: `blocks.8.hook_resid_post`,
`blocks.9.hook_resid_pre` and `hidden_states[9]` are one place, 9 blocks on. A Neuronpedia source
`8-res-jb` does not say whether it is before or after block 8, so it may be 8 or 9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

RESIDUAL, MIDDLE, ATTENTION, MLP = "residual stream", "inside a block", "attention", "MLP"
_HIDDEN_STATES = re.compile(r"hidden_states\[(\d{1,4})\]")
_HOOK = re.compile(r"blocks\.(\d{1,4})\.(.+)")
_SOURCE = re.compile(r"(\d{1,4})-(.+)")
_MODULE = re.compile(r"(?:.*\.)?(?:layers|layer|h|blocks)\.(\d{1,4})(?:\.(.+))?")
_WIDTH = re.compile(r"(?:fs(\d{3,7})|(?<![a-z0-9])(\d{1,4})([km]))(?![a-z0-9])")
_BINARY_THOUSANDS = {"1m": 1 << 20, "524k": 1 << 19, "262k": 1 << 18, "131k": 1 << 17} | {
    "128k": 1 << 17,
    "65k": 1 << 16,
    "32k": 1 << 15,
    "16k": 1 << 14,
}


@dataclass(frozen=True)
class Place:
    """A place in a model: what kind, if that is known, and the layers that it may be."""

    kind: str | None
    layers: frozenset[int]

    def may_be(self, other: Place) -> bool:
        """Whether both can be one place."""
        alike = self.kind is None or other.kind is None or self.kind == other.kind
        return alike and bool(self.layers & other.layers)


def place_of(name: str) -> Place | None:
    """The place that a hook, a module, a hidden state or a Neuronpedia source names.

    None when nothing in the name says so, as in `decoder rows of sae-24576`.
    """
    name = name.strip()
    if found := _HIDDEN_STATES.fullmatch(name):
        return Place(RESIDUAL, frozenset({int(found[1])}))
    if found := _SOURCE.fullmatch(name):
        return _around(_kind(found[2]), int(found[1]))
    if found := _HOOK.fullmatch(name):
        layer, rest = int(found[1]), found[2]
        if "resid_pre" in rest:
            return Place(RESIDUAL, frozenset({layer}))
        if "resid_mid" in rest:
            return Place(MIDDLE, frozenset({layer}))
        if "resid_post" in rest or rest == "hook_out":
            return Place(RESIDUAL, frozenset({layer + 1}))
        if kind := _kind(rest):
            return _around(kind, layer)
    if found := _MODULE.fullmatch(name):
        rest = found[2]
        if rest is None:  # a block gives the stream after it
            return Place(RESIDUAL, frozenset({int(found[1]) + 1}))
        return _around(_kind(rest), int(found[1]))
    return None


def layer_place(layer: int) -> Place:
    """The place of a layer's number, which says no more."""
    return _around(None, layer)


def width_of(source: str) -> int | None:
    """How many latents a Neuronpedia source's name says it has: `8-res_fs768-jb`, `5-res-16k`."""
    found = _WIDTH.findall(source.lower())
    if len(found) != 1:
        return None
    exact, thousands, unit = found[0]
    return int(exact) if exact else _BINARY_THOUSANDS.get(thousands + unit)


def _around(kind: str | None, layer: int) -> Place:
    passed = {layer} if kind in (ATTENTION, MLP) else {layer, layer + 1}
    return Place(kind, frozenset(passed))


def _kind(words: str) -> str | None:
    words = words.lower()
    if "mlp" in words or "transcoder" in words or "ffn" in words:
        return MLP
    if "att" in words or "hook_z" in words:
        return ATTENTION
    if "res" in words:
        return MIDDLE if "mid" in words else RESIDUAL
    return None
