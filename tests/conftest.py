"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: a busy machine is no failure. In CI the same examples every time, so that a red
# run can be repeated; at a desk new ones, which find more.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
