"""The families of experiments: one page each, with the question that it opens with."""

from __future__ import annotations

from dataclasses import dataclass

from backend import links

CHOICES = (
    "subject", "setting", "metric", "concept", "kind", "entity", "other", "attribute", "method",
)  # fmt: skip
"""Parameters of these pages, beside `sae`, that say what one shows."""


@dataclass(frozen=True)
class Family:
    """A page of experiments.

    Attributes:
        name: in breadcrumbs and titles.
        question: the page's heading.
        path: its address.
        experiments: names in `measurements` of what it shows.
        sections: of a config's `[experiments]`, those that make them.
        what: what a run without them lacks.
    """

    name: str
    question: str
    path: str
    experiments: tuple[str, ...]
    sections: tuple[str, ...]
    what: str


FAMILIES: dict[str, Family] = {
    "errors": Family(
        "Errors",
        "Do an SAE's errors hurt more than random ones of the same size?",
        links.ERRORS_PATH,
        ("errors", "errors by layer"),
        ("errors", "layers"),
        "what the model does when an activation is replaced by the SAE's reconstruction, or by "
        "vectors that are as far away",
    ),
    "pursuit": Family(
        "Pursuit",
        "Is the encoder the bottleneck?",
        links.PURSUIT_PATH,
        ("pursuit",),
        ("pursuit",),
        "the same dictionaries with other ways of choosing latents",
    ),
    "edits": Family(
        "Edits",
        "Can one fact be changed by changing a latent's parts?",
        links.EDITS_PATH,
        ("edits",),
        ("edits",),
        "facts of an entity after its latent or some of its meta-latents were swapped; only a "
        "causal model has them",
    ),
    "steering": Family(
        "Steering",
        "What steers best for the damage it does?",
        links.STEERING_PATH,
        ("steering",),
        ("steering",),
        "how far directions, latents and meta-latents push what the model writes, and what that "
        "costs; only a causal model has them",
    ),
    "absorption": Family(
        "Absorption",
        "Do latents go silent where they should fire?",
        links.ABSORPTION_PATH,
        ("absorption",),
        ("absorption",),
        "which latents stand for a first letter, and where another takes their place",
    ),
    "resistance": Family(
        "Resistance",
        "Can an SAE be trained so that a meta-SAE cannot take it apart?",
        links.RESISTANCE_PATH,
        ("resistance", "dead latents", "toy models"),
        ("resistance", "dead_latents", "toy_models"),
        "SAEs trained together with a meta-SAE that punishes what it can rebuild",
    ),
}
EXPERIMENT_PATHS = frozenset(family.path for family in FAMILIES.values()) | {links.EXPERIMENTS_PATH}


def family_of(experiment: str) -> Family | None:
    """The family that an experiment of `measurements` or `concerned` belongs to."""
    return next((f for f in FAMILIES.values() if experiment in f.experiments), None)
