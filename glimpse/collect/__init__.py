"""The edge: HTTP in, one confirmed write to the buffer out; and the routes that read.

Read `core.py` first: what happens to a request, knowing no server. `admission.py` has the steps that drop,
`routes.py` the table of all routes.
"""
