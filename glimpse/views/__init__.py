"""What people see: parts that stand alone in a notebook cell, and the dashboard made of them.

Rule of this package: the viewer pulls. A part never computes what another viewer needs too (`board`), never keeps a
timer of its own when it stands in a dashboard (`pull`), and never hands event data to anything that reads markup.
"""
