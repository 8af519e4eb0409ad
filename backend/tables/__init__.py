"""The tables of a run, one module a subject; `backend/schema.py` puts them together."""
