"""Simulated visitors: who they are, what they do in the demo shop, and how their events reach a server.

Read `visitors`, then `journeys`, then `simulate`, which sends what they plan through `sender`.
"""
