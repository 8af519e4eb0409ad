"""Everything of a run as files: lists of rows, whole tables, decompositions, the schema.

`routes` answers addresses below `download/`, so a notebook or `curl` gets the same as a reader of
the pages; nothing here is computed before somebody asks for it.
"""
