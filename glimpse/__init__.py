"""Real-time web analytics on a live map: sessions, not people."""
