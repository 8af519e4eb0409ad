r"""A decomposition to quote: Markdown for notes, BibTeX for papers.

Labels are untrusted. Markdown shows them literally, whatever they contain. BibTeX counts braces
even behind a backslash, so braces are spelled out (`\textbraceleft{}`), and every field stays
balanced.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from backend.manifest import HASH_PREFIX_LENGTH
from backend.records import Record
from backend.text_html import latent_name, number, plain, shortened

LABEL_LENGTH = 60  # characters of a label in an equation or a title
MOST_EXAMPLES = 3

# what means something inside a line; nothing untrusted ever starts one
_MARKDOWN = re.compile(r"([\\`*_\[\]#|~$:@]|(?<=www)\.)", re.IGNORECASE)
_BIBTEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{character: f"\\{character}" for character in "$&#_%"},
}


@dataclass(frozen=True)
class Quoted:
    """A decomposition and all that a reader needs to find it again.

    `components` are the rows of `queries.components`; `facts` is the latent's row of `latents`;
    `address` links to its page, with the content hash.
    """

    run: str
    title: str
    content_hash: str
    model_id: str
    hook_name: str
    meta_sae_id: str
    facts: Record
    components: Sequence[Record]
    address: str

    @property
    def latent_id(self) -> str:
        """e.g. `sae-24576/5`."""
        return f"{self.facts['sae_id']}/{self.facts['latent']}"

    @property
    def name(self) -> str:
        """The label, or the number; not escaped."""
        return plain(latent_name(self.facts["label"], self.facts["latent"]))

    @property
    def terms(self) -> list[tuple[str, str]]:
        """(weight, name) of each component; not escaped."""
        return [(number(row["activation"]), part_name(row)) for row in self.components]


def part_name(row: Record) -> str:
    """Name of a component; not escaped."""
    return plain(latent_name(row["label"], row["meta_latent"], "meta"))


def equation(quoted: Quoted) -> str:
    """`einstein = 0.60 scientist + 0.50 german + bias + residual`; not escaped."""
    parts = [f"{weight} {shortened(name, LABEL_LENGTH)}" for weight, name in quoted.terms]
    return f"{shortened(quoted.name, LABEL_LENGTH)} = {' + '.join([*parts, 'bias', 'residual'])}"


def markdown(quoted: Quoted, today: date, examples: Sequence[Record] = ()) -> str:
    """Equation, table of components, and where it comes from, as GitHub reads it.

    Args:
        quoted: the decomposition.
        today: day of access.
        examples: rows of `queries.examples`; the first few are quoted.
    """
    facts = quoted.facts
    parts = [
        f"**{weight}** {in_markdown(shortened(name, LABEL_LENGTH))}"
        for weight, name in quoted.terms
    ]
    name = in_markdown(shortened(quoted.name, LABEL_LENGTH))
    lines = [
        f"## {name}",
        "",
        f"**{name}** = {' + '.join([*parts, '*bias*', '*residual*'])}",
        "",
        "| component | weight | share | cosine | stability |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {in_markdown(part_name(row))} ({in_markdown(quoted.meta_sae_id)}/"
            f"{row['meta_latent']}) | "
            + " | ".join(
                number(row[figure]) for figure in ("activation", "share", "cosine", "stability")
            )
            + " |"
            for row in quoted.components
        ),
        f"| *bias* | | {number(facts['bias_share'])} | | |",
        f"| *residual* | | {number(facts['residual_share'])} | | |",
        "",
        f"Variance explained {number(facts['decomposition_variance_explained'])}, cosine with the "
        f"sum {number(facts['decomposition_cosine'])}.",
        "",
        *_quotes(examples),
        f"Latent {in_markdown(quoted.latent_id)} of {in_markdown(quoted.model_id)} "
        f"({in_markdown(quoted.hook_name)}), decomposed by {in_markdown(quoted.meta_sae_id)}; run "
        f"{in_markdown(quoted.run)}, content hash `{quoted.content_hash[:HASH_PREFIX_LENGTH]}`, "
        f"{today.isoformat()}: <{quoted.address}>",
    ]
    return "\n".join(lines) + "\n"


def bibtex(quoted: Quoted, today: date) -> str:
    """A `@misc` entry with the full content hash; `today` is the day of access."""
    short_hash = quoted.content_hash[:HASH_PREFIX_LENGTH]
    sae_id, latent = quoted.facts["sae_id"], quoted.facts["latent"]
    key = re.sub(r"[^A-Za-z0-9:-]+", "-", f"subatomic:{quoted.run}:{sae_id}-{latent}:{short_hash}")
    title = (
        f"Decomposition of ``{in_bibtex(shortened(quoted.name, LABEL_LENGTH))}'' "
        f"(latent {in_bibtex(quoted.latent_id)}) by {in_bibtex(quoted.meta_sae_id)}"
    )
    note = (
        f"Run {in_bibtex(quoted.run)} ({in_bibtex(plain(quoted.title))}), content hash "
        f"{quoted.content_hash}; SAE {in_bibtex(sae_id)} of {in_bibtex(quoted.model_id)}, "
        f"meta-SAE {in_bibtex(quoted.meta_sae_id)}; accessed {today.isoformat()}"
    )
    fields = {
        "author": "{Subatomic}",
        "title": f"{{{title}}}",
        "year": str(today.year),
        "howpublished": f"\\url{{{quoted.address}}}",
        "url": quoted.address,
        "urldate": today.isoformat(),
        "note": note,
    }
    body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{{key},\n{body}\n}}\n"


def in_markdown(text: str) -> str:
    """`text` so that Markdown shows it as it is: in a paragraph, in bold and in a table's cell."""
    escaped = _MARKDOWN.sub(r"\\\1", plain(text).replace("&", "&amp;").replace("<", "&lt;"))
    return " ".join(escaped.split())


def in_bibtex(text: str) -> str:
    """`text` for a field in braces: specials spelled out, braces balanced."""
    return "".join(_BIBTEX.get(character, character) for character in plain(text))


def _quotes(examples: Sequence[Record]) -> list[str]:
    """The first examples as quotations, and an empty line after each."""
    return [
        line
        for row in examples[:MOST_EXAMPLES]
        for line in (f"> “{in_markdown(row['text'])}” ({in_markdown(row['title'])})", "")
    ]
