"""What `bench/field.py` measures with: the requests, the servers, and the books that say whether a rate counts."""
