"""Facts edited in a model: does the one that was meant change, and do the others stay?"""
