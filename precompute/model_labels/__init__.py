"""Labels by a language model behind an OpenAI-compatible address; optional, and never in the app.

`evidence` reads what pages may show about a latent, `prompts` asks for a label and judges the
answer, `endpoint` speaks the protocol, `asking` keeps budget and answers, `labelling` does a whole
run, `label_file` writes beside it, and `commands` is what `python -m precompute` calls.
"""
