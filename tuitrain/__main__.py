"""`python -m tuitrain` is the command `tuitrain`."""

from __future__ import annotations

import sys

from tuitrain.cli import main

sys.exit(main())
