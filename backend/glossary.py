"""One plain sentence for each term of jargon: every tooltip of every page comes from here."""

from __future__ import annotations

from backend.experiment_terms import TERMS

MEANINGS: dict[str, str] = {
    **TERMS,
    "SAE": "Sparse autoencoder: it writes a model's activation as a sum of a few of its many "
    "latents, each with its own direction.",
    "latent": "One element of an SAE: it fires on some tokens and adds its decoder direction.",
    "meta-SAE": "An SAE trained on the decoder directions of another SAE, so it splits latents "
    "into parts that many latents share.",
    "meta-latent": "One element of a meta-SAE: a direction that many latents have in common.",
    "decomposition": "A latent's decoder direction written as bias + weighted meta-latents + "
    "residual.",
    "component": "A meta-latent that is active on this latent's decoder direction.",
    "weight": "Activation of the meta-latent on this latent's decoder direction: "
    "direction = bias + sum of weight x meta-latent + residual.",
    "cosine": "Cosine of the angle between two directions: 1 is the same direction, 0 unrelated.",
    "share": "Part of the squared length of the decoder direction that this piece accounts for. "
    "Shares of all components, bias and residual add up to 1; one can be negative.",
    "stability": "Share of meta-SAEs trained with other seeds in which a matching meta-latent is "
    "active on the same latent: 1 means that every seed finds it.",
    "variance explained": "1 - squared error / squared distance from the mean: 1 is a perfect "
    "reconstruction, 0 no better than the mean.",
    "held out": "Measured on rows that training never saw.",
    "bias": "The meta-SAE's constant: what all decoder directions have in common.",
    "residual": "What is left of the direction after the bias and all components.",
    "activation": "How strongly a latent fires on a token; 0 when it does not.",
    "share of maximum": "Activation / the largest activation of the same latent in the run's text: "
    "100 % is as strong as it ever fired there.",
    "pooled weight": "How much of the meta-latent is in a token: over the latents that fire, the "
    "sum of activation x weight of the component; over several tokens, the mean of that.",
    "usual weight": "The same mean over all tokens of the text that the run was made from.",
    "density": "Share of all tokens seen on which the latent fires.",
    "dead": "A latent that fired on none of the tokens seen.",
    "dense": "A latent that fires on more than one token in ten; such latents seldom have one "
    "clear meaning.",
    "L0": "Mean number of latents that fire at once.",
    "label": "A short name made from the words that the latent fires on; the score says how well "
    "it fits, from 0 to 1.",
    "precision": "Of the tokens on which the latent fires, the share that is this word.",
    "recall": "Of all occurrences of this word, the share on which the latent fires.",
    "lift": "How many times more often the latent's firings are on this word than all words are.",
    "naming": "What the latent's name speaks of: words it fires on, a meaning that they share, or "
    "how they are spelled.",
    "label accuracy": "Balanced accuracy of telling held-out members from non-members by the name "
    "alone: 0.5 is a coin, 1 is perfect.",
    "label AUC": "The chance that a random held-out member fits the name better than a random "
    "other one: 0.5 is a coin, 1 is perfect.",
    "held-out members": "Of a meta-latent: latents of which it is a component and whose words "
    "played no part in choosing the name. Of a latent: words of held-out text on which it fires.",
    "not tested": "Too few held-out members, or no name: the figure is not known.",
    "shuffled labels": "The same test with names of other latents of the same SAE: what a name "
    "reaches that has nothing to do with the members.",
    "members' words": "The words of the three strongest members as a list, in place of a name.",
    "shared parts": "Meta-latents that these latents have at least twice as often as all latents "
    "do: how many of them, and how many times as often. A click asks for them, the minus sign "
    "leaves those latents out.",
    "part score": "Sum over the parts asked for of their weight on this latent, times the factor "
    "given in the question.",
    "regular expression": "A pattern, such as ^re.*ing$ for words that begin with re and end in "
    "ing. It is matched against words, phrases, pieces and labels without case and accents.",
    "factor": "How much of a direction is taken away or added: 1 is as much of it as the latent "
    "has, 2 twice that.",
    "F1": "Harmonic mean of precision and recall, from 0 to 1.",
    "logit": "How far the latent's direction points towards a token of the vocabulary.",
    "promoted": "Tokens of the vocabulary that the latent's direction points to most.",
    "suppressed": "Tokens of the vocabulary that the latent's direction points away from most.",
    "interval": "The range from the threshold to the maximum in the texts shown, cut into three "
    "equal widths; examples are drawn from each, so that weak firings are seen too.",
    "strongest examples": "The contexts in which the latent fires most strongly, one token of each "
    "context, with the smallest and the largest activation shown.",
    "random examples": "Drawn at random from all tokens on which the latent fires, so mostly weak "
    "ones: they show what the strongest examples hide.",
    "near-duplicates": "The same context, or two that share at least half of their runs of five "
    "tokens (a fifth when their titles are the same) around the strongest token; case and digits "
    "do not count.",
    "null": "The same meta-SAE trained on random rows: isotropic ones share only the shape of the "
    "matrix, covariance-matched ones also its mean and covariance. A frozen random decoder learns "
    "no directions at all.",
    "in sample": "Measured on the rows that it was trained on.",
    "stitching": "Moving latents between SAEs of different sizes, with the encoders as they are.",
    "novel": "A latent of the larger SAE that lowers the smaller one's error when added to it.",
    "reconstruction": "A latent of the larger SAE that does not lower the error of the smaller "
    "one: it rebuilds what the smaller one already has.",
    "silent": "A latent that fired on none of the held-out tokens, so nothing can be said of it.",
    "clear sign": "The 95 % interval of the change does not contain 0.",
    "change of the error": "Change of the smaller SAE's mean squared error when the latent is "
    "added, in millionths of that error; the interval resamples the held-out contexts.",
    "swap group": "Latents of both SAEs that hang together by decoder cosines of 0.7 or more: they "
    "must be swapped together, or something would be counted twice.",
    "AUC": "Area under the curve: the chance that a random novel latent has a lower cosine than a "
    "random reconstruction. 0.5 is a coin, 1 is perfect.",
    "splitting": "What one latent of a small SAE stands for is shared out among several latents of "
    "a larger one.",
    "fires together": "Of the held-out tokens on which the latent fires, those on which its parent "
    "fires too.",
    "ancestor": "The latent of the smaller SAE at the end of a chain of nearest latents, each "
    "with a decoder cosine of 0.7 or more.",
    "ancestor found": "The meta-latent nearest to the ancestor is a component of the latent.",
    "chance": "The same count when whole decompositions are dealt to latents at random.",
    "members": "The latents of which this meta-latent is a component.",
    "components": "How many meta-latents are active on the latent's decoder direction.",
    "trust": "Whether a decomposition says something about the model, or would be found in noise, "
    "by a simpler method or in one training only.",
    "decoder rows": "The directions of the decomposed SAE's latents: what the meta-SAE is for.",
    "covariance-matched Gaussian rows": "Random rows with the mean and covariance of the decoder "
    "rows: they share its low-rank shape and nothing else, so this is the fair control.",
    "isotropic Gaussian rows": "Random rows of unit length without any shape; also what a frozen "
    "random decoder is, for its rows never learn.",
    "shuffled coordinates": "The decoder rows with every coordinate shuffled by itself: the same "
    "values, and nothing of what goes together.",
    "word directions": "The mean activations of single word pieces: directions whose names are "
    "known, so that a meta-SAE should find parts there. The positive control.",
    "random model": "An SAE trained alike on a model with random weights, which has learned "
    "nothing.",
    "same budget": "An SAE of the real model, trained alike with as many tokens: what the SAE of "
    "the random model is to be compared with.",
    "meta-SAE with nearest latents": "The meta-SAE with every meta-latent replaced by the most "
    "similar latent of the smaller SAEs; tuned: its encoder trained again.",
    "meta-SAE with random directions": "The meta-SAE with every meta-latent replaced by a random "
    "direction; tuned: its encoder trained again.",
    "pursuit": "Non-negative gradient pursuit: at most four directions of a fixed dictionary, "
    "chosen one by one for each row, without an encoder.",
    "k-means": "Every row replaced by the centre of its cluster: one part a row.",
    "principal components": "Every row rebuilt from the same few directions of largest variance.",
    "in the other seeds": "Share of the meta-latents that a meta-SAE trained with another seed "
    "finds again, matched one to one by the cosine of their directions.",
    "AUROC": "The chance that a random latent which has the value of an attribute ranks above a "
    "random one which has not: 0.5 is a coin, 1 is perfect.",
    "explained components": "A component is explained when at least half of the other known words "
    "it is part of share a fact or a spelling with this word, and twice as many as usual.",
    "every part": "Scores of all parts of a dictionary, not only of the few that a latent is made "
    "of: they rank all words, so they are to be compared among themselves.",
    "overlap": "Of the pairs of latents that share a meta-latent, the share that is also close to "
    "one latent of the smaller SAE; by chance: the same with the latents renamed at random.",
    "best match": "For each direction the highest cosine with any direction of the other "
    "dictionary; within a dictionary, with any but itself.",
    "composition score": "The meta_structure score of SAEBench: variance of an SAE's decoder rows "
    "that a short meta-SAE training explains, with a quarter as many meta-latents and k = 4.",
    "rows alike": "Every decoder row counts once.",
    "rows by mean activation": "Every decoder row counts by its latent's mean activation.",
    "part overlap": "Cosine of two decompositions, with one number a meta-latent, its weight: 1 is "
    "the same parts in the same proportions, 0 no part in common.",
    "texts in common": "Texts that are among the stored examples of both latents; few examples "
    "a latent are stored, so none in common is usual.",
    "Jaccard": "Tokens on which both fire, divided by tokens on which at least one does: 1 is "
    "always together, 0 never.",
    "together by chance": "Tokens on which both would fire if the two had nothing to do with each "
    "other: the product of their counts, divided by the tokens looked at.",
    "pair lift": "Tokens on which both fire, divided by the number expected by chance.",
    "head share": "Part of the squared length of the decoder direction that lies in the dimensions "
    "of one attention head: at this place of the model the heads' outputs stand side by side.",
    "map": "Each latent's decoder direction in two dimensions; near points have similar "
    "directions, the axes themselves mean nothing.",
}


def meaning(term: str) -> str:
    """The tooltip of a term.

    Raises:
        KeyError: the term has no entry; tests open every page, so this is never shipped.
    """
    return MEANINGS[term]
