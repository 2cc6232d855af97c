"""How many rows a batch takes, and how long to pause after it: both follow from how long the last one took."""

from dataclasses import dataclass

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
    _of_first_pass: int = 100

    def took(self, seconds: float) -> float:
        """Changing `size` rows took so long; returns the seconds to pause."""
        wanted = self.size * min(max(_USUAL * self.aim / max(seconds, 1e-4), 0.1), _GROWTH)
        self.size = min(max(int(wanted), min(self.size, _FEW)), LARGEST)
        return seconds * self.pause

    def end_pass(self, number: int) -> None:
        """A second pass changes nearly nothing, and is quick; the next slice's first one is not."""
        if number == 1:
            self._of_first_pass = self.size
        else:
            self.size = self._of_first_pass

    def cut_off(self, seconds: float) -> float:
        """It was undone, because others had waited for it for so long: the next one is shorter; returns the pause."""
        self.size = max(self.size // 2, SMALLEST)
        return seconds * self.pause

    def collided(self) -> None:
        """Somebody else holds a row of the batch: the next one is shorter, and gets further."""
        self.size = max(self.size // 4, SMALLEST)
