"""A sum of directions as a reader asks for it, and the address that means the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from backend.question import Part, parse_parts

FACTORS = (1.0, 2.0, 3.0)  # how much of a direction is taken away or added


@dataclass(frozen=True)
class SumQuestion:
    """A latent, the directions taken away from it, those added, and how much of them.

    In an address: from=sae-8/3&minus=meta-4/0&plus=meta-4/3,sae-8/1&factor=2.
    """

    start: Part
    less: tuple[Part, ...] = ()
    more: tuple[Part, ...] = ()
    factor: float = FACTORS[0]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every direction: the start, those taken away, those added."""
        return (self.start, *self.less, *self.more)

    def minus(self, part: Part) -> SumQuestion:
        rest = self.without(part)
        return replace(rest, less=(*rest.less, part))

    def plus(self, part: Part) -> SumQuestion:
        rest = self.without(part)
        return replace(rest, more=(*rest.more, part))

    def without(self, part: Part) -> SumQuestion:
        """The same with this direction neither taken away nor added."""
        less = tuple(other for other in self.less if other.key != part.key)
        more = tuple(other for other in self.more if other.key != part.key)
        return replace(self, less=less, more=more)

    @property
    def params(self) -> dict[str, str]:
        """Query parameters that mean this sum; defaults are left out."""
        named = {
            "from": str(self.start),
            "minus": ",".join(map(str, self.less)),
            "plus": ",".join(map(str, self.more)),
            "factor": f"{self.factor:g}" if self.factor != FACTORS[0] else "",
        }
        return {name: value for name, value in named.items() if value}


def parse_sum(params: Mapping[str, str]) -> SumQuestion | None:
    """The sum that query parameters mean; None when they name no start."""
    start = parse_parts(params.get("from", ""))
    if not start:
        return None
    typed = params.get("factor", "")
    question = SumQuestion(
        Part(*start[0].key), factor=next((f for f in FACTORS if f"{f:g}" == typed), FACTORS[0])
    )
    for part in parse_parts(params.get("minus", "")):
        question = question.minus(Part(*part.key))
    for part in parse_parts(params.get("plus", "")):
        if part.key not in {other.key for other in question.less}:
            question = question.plus(Part(*part.key))
    return question
