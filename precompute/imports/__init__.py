"""What other tools wrote about an SAE: read, checked to be about the same weights, and kept.

`python -m precompute import` reads the files of Neuronpedia, SAEDashboard and Delphi, and those of
the dashboard that Leask, Bussmann et al. published. Explanations go into the label file beside the
run, everything else into `data/<run>.imported/` (`backend/elsewhere.py` reads it).
"""
