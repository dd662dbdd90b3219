"""Hypothesis: the same examples in every run, so that a red run is a change of the code.

HYPOTHESIS_PROFILE=search looks for new ones.
"""

import os

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
