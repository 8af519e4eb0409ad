"""The two small types that every part of the corpus shares."""

from dataclasses import dataclass


class CorpusError(ValueError):
    """A corpus file does not follow its format; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Document:
    """One piece of text with the place it came from.

    Attributes:
        title: What the text is about, as a reader would name it.
        source: `almanac/<file stem>` or `facts/<table>`.
        text: Plain English on one line.
    """

    title: str
    source: str
    text: str
