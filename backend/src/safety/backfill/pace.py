"""How many rows a batch takes, and how long to pause after it: both follow from how long the last one took."""

from dataclasses import dataclass

SMALLEST, LARGEST = 1, 50_000
_FEW = 100  # a batch of so few rows takes long for another reason (a busy machine, a slow network): fewer do not help
_GROWTH = 1.5


@dataclass
class Pace:
    """Of one worker. `aim` and `pause` are of the policy: seconds of a batch, and the pause as a share of them."""

    aim: float
    pause: float
    size: int = 100
    """Rows of the next batch."""

    def took(self, seconds: float) -> float:
        """Changing `size` rows took so long; returns the seconds to pause."""
        # A client may wait as long as a batch takes: so the aim is its end, where it is cut off, and not its middle.
        wanted = self.size * min(max(0.6 * self.aim / max(seconds, 1e-4), 0.1), _GROWTH)
        self.size = min(max(int(wanted), min(self.size, _FEW)), LARGEST)
        return seconds * self.pause

    def collided(self) -> None:
        """Somebody else holds a row of the batch, or it took too long: the next one is shorter, and gets further."""
        self.size = max(self.size // 4, SMALLEST)
