"""What both sides of a run share: its connections, its lock, its history, and what it is doing."""
