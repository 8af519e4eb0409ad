"""What a reader asks of a run: a text, filters, parts to have or not to have, an order.

A question and the query parameters of an address are two forms of the same thing, so every list of
latents is a link. Parameters that mean nothing are left out instead of refused: an address typed by
hand or cut in an e-mail still shows a list.

    q=bank&way=regex&index=fires            what is searched, how and where
    sae=sae-24576&kind=sae                  in which SAE, latents or meta-latents
    density=1e-05..0.0001&parts=3..4        from .. to below, either end may be missing
    naming=spelling&novelty=novel&against=sae-768
    with=meta-1170/12,meta-1170/45&without=meta-1170/7&weigh=meta-1170/9*-1
    sort=rare&page=2
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from backend.bounds import LARGEST_INDEX
from backend.schema import LABEL_KINDS

INDEXES = ("any", "fires", "promotes", "label", "number")
WAYS = ("words", "regex")
KINDS = ("sae", "meta")
NAMINGS = LABEL_KINDS
NOVELTIES = ("novel", "reconstruction", "silent")
RANGES = ("density", "parts", "explained", "stability", "cosine", "accuracy")
SORTS = (
    "best", "frequent", "rare", "parts", "explained", "unexplained", "stable", "alone", "named",
)  # fmt: skip

MOST_PARTS = 12  # of each role; each is a lookup
LONGEST_PARAMETER = 2_000  # characters; a longer one is nobody's question
HEAVIEST = 9.0

_PART = re.compile(r"(?P<sae_id>[^\s/,*]{1,80})/(?P<latent>\d{1,10})(\*(?P<weight>-?[\d.]{1,6}))?")


@dataclass(frozen=True)
class Range:
    """Figures from `low` to below `high`; None is an open end."""

    low: float | None = None
    high: float | None = None

    @staticmethod
    def parse(text: str) -> Range | None:
        """`0.2..0.4`, `..0.4` or `0.2..`; None when it is none of these."""
        low, dots, high = text.partition("..")
        try:
            ends = [float(end) if end.strip() else None for end in (low, high)]
        except ValueError:
            return None
        if not dots or ends == [None, None]:
            return None
        if any(end is not None and not math.isfinite(end) for end in ends):
            return None
        return Range(*ends)

    def __str__(self) -> str:
        return "..".join("" if end is None else f"{end:g}" for end in (self.low, self.high))


@dataclass(frozen=True, order=True)
class Part:
    """A meta-latent that a question names, and how much it counts when parts are weighed."""

    sae_id: str
    latent: int
    weight: float = 1.0

    def __str__(self) -> str:
        factor = "" if self.weight == 1.0 else f"*{self.weight:g}"
        return f"{self.sae_id}/{self.latent}{factor}"

    @property
    def key(self) -> tuple[str, int]:
        return (self.sae_id, self.latent)


def parse_parts(text: str) -> tuple[Part, ...]:
    """`meta-8/1,meta-8/2*0.5` as parts; pieces that are no part are left out, repeats too."""
    found: dict[tuple[str, int], Part] = {}
    for piece in text[:LONGEST_PARAMETER].split(","):
        match = _PART.fullmatch(piece.strip())
        if match is None or int(match["latent"]) > LARGEST_INDEX:
            continue
        try:
            weight = float(match["weight"] or 1.0)
        except ValueError:
            continue
        part = Part(match["sae_id"], int(match["latent"]), max(-HEAVIEST, min(HEAVIEST, weight)))
        found.setdefault(part.key, part)
    return tuple(found.values())[:MOST_PARTS]


@dataclass(frozen=True)
class Question:
    """One question; `Question()` asks for every latent and meta-latent of the run."""

    text: str = ""
    way: str = "words"
    index: str = "any"
    sae_id: str = ""
    kind: str = ""
    naming: str = ""
    novelty: str = ""
    against: str = ""
    """The smaller SAE that `novelty` is about; "" for the next smaller one of each."""
    ranges: Mapping[str, Range] = field(default_factory=dict)
    required: tuple[Part, ...] = ()
    excluded: tuple[Part, ...] = ()
    weighed: tuple[Part, ...] = ()
    sort: str = "best"

    @property
    def has_filter(self) -> bool:
        """Whether anything but the text, the index and the order narrows the list."""
        return any((self.sae_id, self.kind, self.naming, self.novelty, self.ranges, *self.parts))

    @property
    def is_empty(self) -> bool:
        return not (self.text.strip() or self.has_filter)

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*self.required, *self.excluded, *self.weighed)

    def without_part(self, part: Part) -> Question:
        """The same question with this meta-latent in no role."""
        kept = {
            role: tuple(p for p in getattr(self, role) if p.key != part.key)
            for role in ("required", "excluded", "weighed")
        }
        return replace(self, **kept)

    def with_part(self, part: Part, role: str) -> Question:
        """The same question with this meta-latent `required`, `excluded` or `weighed`."""
        rest = self.without_part(part)
        return replace(rest, **{role: (*getattr(rest, role), part)})

    def with_range(self, name: str, band: Range | None) -> Question:
        """The same question with one figure limited, or no longer limited."""
        kept = {key: value for key, value in self.ranges.items() if key != name}
        return replace(self, ranges=kept if band is None else {**kept, name: band})

    @property
    def params(self) -> dict[str, str]:
        """Query parameters that mean this question; defaults are left out."""
        named = {
            "q": self.text,
            "way": self.way if self.way != "words" else "",
            "index": self.index if self.index != "any" else "",
            "sae": self.sae_id,
            "kind": self.kind,
            "naming": self.naming,
            "novelty": self.novelty,
            "against": self.against,
            **{name: str(self.ranges[name]) for name in RANGES if name in self.ranges},
            "with": ",".join(map(str, self.required)),
            "without": ",".join(map(str, self.excluded)),
            "weigh": ",".join(map(str, self.weighed)),
            "sort": self.sort if self.sort != "best" else "",
        }
        return {name: value for name, value in named.items() if value}


def parse_question(params: Mapping[str, str], sae_ids: tuple[str, ...] = ()) -> Question:
    """The question that query parameters mean.

    Args:
        params: name to value, as typed.
        sae_ids: SAEs of the run; another one in `sae` or `against` is left out.
    """

    def one_of(name: str, allowed: tuple[str, ...], default: str = "") -> str:
        value = params.get(name, default)
        return value if value in allowed else default

    ranges = {name: Range.parse(params.get(name, "")[:40]) for name in RANGES}
    required = parse_parts(params.get("with", ""))
    excluded = parse_parts(params.get("without", ""))
    weighed = parse_parts(params.get("weigh", ""))
    taken: set[tuple[str, int]] = set()
    roles = []
    for role in (required, excluded, weighed):  # the first role that names a part keeps it
        kept = tuple(part for part in role if part.key not in taken)
        taken |= {part.key for part in kept}
        roles.append(kept)
    return Question(
        text=params.get("q", "")[:LONGEST_PARAMETER],
        way=one_of("way", WAYS, "words"),
        index=one_of("index", INDEXES, "any"),
        sae_id=one_of("sae", sae_ids),
        kind=one_of("kind", KINDS),
        naming=one_of("naming", NAMINGS),
        novelty=one_of("novelty", NOVELTIES),
        against=one_of("against", sae_ids),
        ranges={name: band for name, band in ranges.items() if band is not None},
        required=roles[0],
        excluded=roles[1],
        weighed=roles[2],
        sort=one_of("sort", SORTS, "best"),
    )
