"""The oracles and their random networks are shared by these tests and by `bench`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
