"""Where addresses are, where borders run, where people live: from files in ``data/geo/``, without a network."""
