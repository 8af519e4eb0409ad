"""The terms of jargon that the pages of experiments use; part of `glossary.MEANINGS`."""

from __future__ import annotations

TERMS: dict[str, str] = {
    "KL": "Kullback-Leibler divergence, in nats: how far the model's prediction of the next token "
    "has moved from its own untouched one. 0 is no change.",
    "CE": "Cross-entropy, in nats: how surprised the model is by the token that comes next. Its "
    "rise says how much worse the model predicts.",
    "control": "What a figure must be compared with: the same thing done in a way that should have "
    "no such effect.",
    "nat": "Unit of information: 1 nat is about 1.44 bits.",
    "intervention": "What is put in the place of the model's activation.",
    "SAE reconstruction": "What the SAE writes in place of the activation: the sum of its latents.",
    "norm-corrected SAE": "The SAE's reconstruction stretched to the length of the activation.",
    "SAE norm": "The activation itself, shortened to the length of the SAE's reconstruction.",
    "eps-random": "The activation plus a random vector as long as the SAE's error at that token: a "
    "change of the same size in no particular direction.",
    "theta-random": "The activation turned in a random direction by the same angle as the SAE's "
    "reconstruction.",
    "theta-random, SAE norm": "The same, with the length of the SAE's reconstruction.",
    "like activations": "Covariance-matched: a random vector of the error's length, drawn as "
    "activations spread. Fairer than eps-random, whose directions the model hardly uses.",
    "like errors": "A random vector of the error's length, drawn as the SAE's errors spread.",
    "another's error": "The SAE's error at another token, at this token's length: the same kind of "
    "error in the wrong place.",
    "covariance-matched": "Random, but with the same spread along every direction as the real "
    "vectors.",
    "mean ablation": "Every activation replaced by the mean activation.",
    "zero ablation": "Every activation replaced by zeros.",
    "embedding distance": "1 - cosine of the embedding of a text before and after the change: what "
    "an encoder, which predicts no next token, can tell.",
    "deviations": "How far the SAE's KL at one token lies above the mean of many random vectors of "
    "its length, in standard deviations of those.",
    "bootstrap": "The figure computed again from contexts drawn at random with repeats, a thousand "
    "times: 95 % of the results lie in the interval.",
    "loss recovered": "Share of the loss between zero ablation and the untouched model that a "
    "reconstruction gives back: 1 is the model itself.",
    "embedding recovered": "The same share for an encoder, by the distance of its embeddings.",
    "gradient pursuit": "Latents chosen one by one for each activation, each the one that fits the "
    "rest best; weights follow the gradient. It needs no encoder.",
    "matching pursuit": "The same greedy choice, with the best non-negative weights after each "
    "step.",
    "encoder, k highest": "The encoder's own choice and weights, with exactly k latents a token.",
    "encoder, refitted": "The encoder's choice of latents with the best non-negative weights.",
    "gain over the encoder": "Loss recovered beyond that of the encoder with as many latents; the "
    "same tokens, so the interval is that of the difference.",
    "attribution": "Effect of a latent on the model's answer, worked out from gradients along the "
    "way from no activation to the real one.",
    "absorption": "A latent for something general stays silent where a more special latent fires "
    "and carries the general meaning as well.",
    "full absorption": "Share of the words that the probe gets right where all main latents of the "
    "letter are silent and one other latent carries at least 40 % of the letter.",
    "absorption fraction": "Of what main latents and absorbing latents carry of the letter, the "
    "part of the absorbing ones; mean over words.",
    "main latents": "The latents that stand for a letter: the first of a sparse probe, as long as "
    "each raises its F1 by more than 0.03.",
    "splits": "How many latents beyond the first a letter needs.",
    "probe": "A linear classifier that reads something off activations, such as a word's first "
    "letter.",
    "sparse probe": "A probe that sees only k latents.",
    "decoder rows shuffled": "The control: the same activations with the latents' directions dealt "
    "out at random.",
    "letters shuffled": "The control: a probe trained with the words' letters dealt out at random.",
    "cause": "Share of edits after which the answer about the edited attribute is the other "
    "entity's.",
    "isolate": "Share of the other attributes whose answers stay as they were.",
    "disentangle score": "Mean of cause and isolate: 1 changes the one fact and nothing else, "
    "0.5 is reached by doing nothing.",
    "difference of means": "The mean activation of one value taken away and that of the other "
    "added.",
    "steering": "Adding a direction to the model's activations so that it writes about something.",
    "Pareto": "A point is on the Pareto front when no other has both more effect and less damage.",
    "damage": "Rise of the cross-entropy on held-out text while the model is steered, in nats.",
    "phi": "Correlation of two latents' firing, from -1 to 1: 0 when they fire together as often "
    "as by chance. Its mean absolute value says how much latents repeat each other.",
    "decomposability penalty": "A cost for decoder rows that a meta-SAE can rebuild, so that the "
    "SAE learns rows which it cannot.",
    "solo": "An SAE trained alone, without a penalty.",
    "equal compute": "An SAE trained alone for as long as the joint training takes.",
    "Matryoshka": "An SAE whose first latents must rebuild activations without the rest.",
    "orthogonal": "An SAE that is punished for decoder rows which point the same way.",
    "ghost gradients": "Dead latents are trained as if they had fired, to rebuild the error.",
    "auxiliary loss": "Dead latents are trained to rebuild what is left of the error.",
    "resampling": "Dead latents start anew at activations that the SAE rebuilds badly.",
    "superposition": "More features than dimensions, so that their directions must overlap.",
    "mean max cosine": "For every true feature the highest cosine with a decoder row, averaged.",
    "no edit": "Nothing is changed: no fact changes and all others stay, so the score is 0.5.",
    "random edit": "A random direction, as long as the edit that it is the control of.",
    "random meta-latents": "The same kind of edit, but what is put in was dealt to meta-latents "
    "that neither entity has, and the best set of those was chosen in the same way.",
    "other's activation": "The other entity's whole activation put in place: not an edit of one "
    "fact, but the most that an edit of this activation can change.",
    "whole latent": "The entity's latent is switched off and the other's switched on.",
    "meta as text": "Weights of some of the latent's meta-latents set to 0, and some to the weight "
    "that they have in the other's latent, as the study's text says.",
    "meta as code": "A hundred times the directions of meta-latents taken away and added, the row "
    "made a unit row again, as the study's code does: the edit nearly becomes the new direction.",
    "log-probability": "Logarithm of the probability of an answer, in nats: 0 is certain, each "
    "-2.3 is ten times less likely.",
    "lead": "How much more likely the entity's own answer is than the other's, as a difference of "
    "log-probabilities: below 0 the other's is the likelier one.",
    "steering effect": "Rise of the probability that the next token belongs to the concept, a mean "
    "over prompts: 1 is certainty where there was no chance.",
    "strength": "Length of what is added, over the mean length of an activation.",
    "Pareto front": "Points that no other one beats: none has more effect for no more damage.",
    "steering: vector": "Mean activation on prompts with the concept minus that without it.",
    "steering: reconstruction": "The vector as the SAE writes it: the sum of its latents' part.",
    "steering: single latent": "The direction of the one latent that tells the two kinds of "
    "prompts apart best.",
    "steering: single meta-latent": "The direction of the one meta-latent that does.",
    "steering: chosen latents": "The latents that differ most, each as much as it differs.",
    "steering: vector minus chosen": "The vector without latents that look irrelevant, for they "
    "fire on both kinds of prompts.",
    "steering: random": "Random directions: what any push of that length does.",
    "hierarchical": "Features that occur only when their parent feature does.",
    "recovered features": "Share of the true features with which some decoder row has a cosine of "
    "at least 0.9.",
    "random decoder": "Decoder rows that are random: what is found without learning anything.",
}
