"""Projects: which sites and apps are registered, and what is set for each.

Any id is accepted until the first project is registered; then only those are. Rule of this package: edges read from
memory, and what they know stays when Redis is away.
"""

from glimpse.projects.record import ProjectSettings
from glimpse.projects.registry import Projects

__all__ = ["ProjectSettings", "Projects"]
