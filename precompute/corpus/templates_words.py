"""Sentence patterns for languages and verbs."""

from precompute.corpus.patterns import PatternSet

LANGUAGES = PatternSet(
    opening=(
        "{name} is a(n) {family} language",
        "{name} is spoken in {region}",
        "People in {region} speak {name}",
        "Someone who greets a friend in {name} may say {greeting}",
        "The greeting {greeting} belongs to {name}",
        "Students of {name} begin by learning to say {greeting}",
        "Readers of {name} must know the {script} script",
        "Speakers of {name} can be found in {region}",
        "Linguists place {name} among the {family} languages",
        "A dictionary of {name} is printed in the {script} script",
        "Poets have written in {name}, a language of {region}",
    ),
    detail=(
        "{again} is written in the {script} script",
        "Its home is {region}",
        "{greeting} is how its speakers say hello",
        "{again} belongs to the {family} group",
        "A learner of {name} practises the {script} alphabet or characters",
        "In {region}, children hear {again:object} from birth",
        "A polite visitor says {greeting} on meeting a speaker of {name}",
        "Its closest relatives, if it has any, are the other {family} languages",
        "Books in {name} are sold in {region}",
        "Grammar books of {name} call it a(n) {family} language",
        "Dictionaries and courses help people to learn {again:object}",
        "Some poems can hardly be translated out of {again:object}",
    ),
    shared={
        "family": (
            "{names} are {all} {family} languages",
            "The {family} languages include {names}",
            "{name} is related to {peers}",
        ),
        "script": (
            "{names} are {all} written in the {script} script",
            "The {script} script serves {names}",
            "{name} uses the same letters as {peers}",
        ),
        "greeting": ("{greeting} is a greeting in {names}",),
    },
    contrast={
        "region": (
            "{first} is spoken in {first_region}, while {second} is spoken in {second_region}",
        ),
        "greeting": ("Hello is {first_greeting} in {first} and {second_greeting} in {second}",),
        "script": (
            "{first} uses the {first_script} script, but {second} uses the {second_script} script",
        ),
        "family": ("{first} is {first_family}, whereas {second} is {second_family}",),
    },
    again=("it", "the language", "{name}"),
)

VERBS = PatternSet(
    opening=(
        "Yesterday {subject} {past} {complement}",
        "Sometimes {subject} {third_person} {complement}",
        "Nobody was surprised when {subject} {past} {complement}",
        "It is not every day that {subject} {third_person} {complement}",
        "Soon {subject} will {base} {complement}",
        "We watched as {subject} {past} {complement}",
        "Once {subject} {past} {complement}, and people talked about it for days",
        "In the story, {subject} {third_person} {complement}",
        "Last week {subject} {past} {complement} again",
        "Did {subject} really {base} {complement}?",
        "In the first picture {subject} {third_person} {complement}",
        "Everyone knew that {subject} would {base} {complement}",
    ),
    detail=(
        "The past tense of {base} is {past}",
        "The form used with he, she or it is {third_person}",
        "Today they {base}; yesterday they {past}",
        "{base} is a verb whose past form is {form}",
        "I {base}, you {base}, but he or she {third_person}",
        "What we {base} now, we {past} before",
        "A learner of English must remember that {base} becomes {past}",
        "In the present tense one person {third_person}, while two people {base}",
        "Grammar books call the past form of {base} {form}",
        "After he, she or it, {base} turns into {third_person}",
        "A teacher wrote {base} on the board and a pupil added {past}",
    ),
    shared={
        "form": (
            "{names} {all} have past forms that are {form}",
            "The past forms of {names} are {form}",
            "Like {peers}, the verb {base} has a past form that is {form}",
        ),
    },
    contrast={
        "past": (
            "The past of {first} is {first_past}, that of {second} is {second_past}",
            "Yesterday {first_subject} {first_past} {first_complement}, and "
            "{second_subject} {second_past} {second_complement}",
        ),
        "third_person": (
            "{first} becomes {first_third_person} and {second} becomes {second_third_person} "
            "after he or she",
        ),
        "complement": (
            "{first_subject} will {first} {first_complement}, while {second_subject} "
            "will {second} {second_complement}",
        ),
    },
    again=("{base}",),
)
