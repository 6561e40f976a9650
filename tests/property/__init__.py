"""Properties, checked on generated input.

The same input on every run: a failure is a failure of the change at hand. To look for new ones::

    HYPOTHESIS_PROFILE=explore pytest tests/property
"""

import os

from hypothesis import HealthCheck, settings

# No deadlines: a slow machine is not a defect.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}

settings.register_profile("fixed", max_examples=300, derandomize=True, database=None, **_COMMON)
settings.register_profile("explore", max_examples=5000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
