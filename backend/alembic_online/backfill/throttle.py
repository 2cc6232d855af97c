"""How many rows a batch takes, and how long to pause after it: both follow from how long the last one took."""

from dataclasses import dataclass
from math import ceil

SMALLEST, LARGEST = 1, 50_000
_FEW = 100  # a batch of so few rows takes long for another reason (a busy machine, a slow network): fewer do not help
_GROWTH = 1.5
_USUAL = 0.4  # of the aim, at which a batch is cut off: how long it takes varies by more than twice, as the disk does


@dataclass
class Pace:
    """Of one worker. `aim` and `pause` are of the policy: seconds of a batch, and the pause as a share of them."""

    aim: float
    pause: float
    size: int = 100
    """Rows of the next batch."""

    def took(self, seconds: float) -> float:
        """Changing `size` rows took so long; returns the seconds to pause."""
        wanted = self.size * min(max(_USUAL * self.aim / max(seconds, 1e-4), 0.1), _GROWTH)
        self.size = min(max(ceil(wanted), min(self.size, _FEW)), LARGEST)  # ceil: a single row grows to two
        return seconds * self.pause

    def cut_off(self, seconds: float) -> float:
        """It was undone, because others had waited for it for so long: the next one is shorter; returns the pause."""
        self.size = max(self.size // 2, SMALLEST)
        return seconds * self.pause

    def collided(self) -> None:
        """A row of the batch is held by somebody else, or takes no value: the next one is shorter, and gets further."""
        self.size = max(self.size // 4, SMALLEST)
