"""What `panel serve` runs for each viewer."""

from glimpse.server import show_dashboard

show_dashboard()
