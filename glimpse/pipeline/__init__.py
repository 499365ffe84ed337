"""The pipeline: `drain.py` takes events from the buffer, `commits.py` brings them to the store, exactly once."""

from glimpse.pipeline.drain import DELIVERIES_ALLOWED, Pipeline, Window

__all__ = ["DELIVERIES_ALLOWED", "Pipeline", "Window"]
