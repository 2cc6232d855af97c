"""What routes ask for: sessions, who asks, languages, clean HTML."""
