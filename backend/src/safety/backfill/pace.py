"""How many rows a batch takes, and how long to pause after it: both follow from how long the last one took."""

from dataclasses import dataclass

SMALLEST, LARGEST = 1, 50_000
_GROWTH = 1.5


@dataclass
class Pace:
    """Of one worker. `aim` and `pause` are of the policy: seconds of a batch, and the pause as a share of them."""

    aim: float
    pause: float
    size: int = 1000
    """Rows of the next batch."""

    def took(self, seconds: float) -> float:
        """A batch of `size` rows took so long; returns the seconds to pause."""
        # A client may wait as long as a batch takes: so the aim is its upper end, and 0.8 of it the middle.
        factor = 0.8 * self.aim / max(seconds, 1e-4)
        self._resize(min(max(factor, 0.1), _GROWTH))
        return seconds * self.pause

    def collided(self) -> None:
        """Somebody else holds a row of the batch: the next one is shorter, and gets as far as it can."""
        self._resize(0.25)

    def _resize(self, factor: float) -> None:
        self.size = min(max(int(self.size * factor), SMALLEST), LARGEST)
        if factor > 1 and self.size < 4:
            self.size += 1
