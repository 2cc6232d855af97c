"""Where things lie."""

from pathlib import Path

BACKEND = Path(__file__).resolve().parents[1]
