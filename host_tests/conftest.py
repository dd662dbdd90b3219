"""Hypothesis: the same examples in every run, so that a red run is a change of the code.

HYPOTHESIS_PROFILE=search looks for new ones; =first stops at the first that fails and seeks no smaller one.
"""

import os

from hypothesis import Phase, settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.register_profile("first", derandomize=True, deadline=None, phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
