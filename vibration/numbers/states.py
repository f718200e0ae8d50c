"""The four states in which the rig was measured, in the order of the file's columns."""

STATES = ("normal", "unbalance", "looseness", "unbalance_looseness")

# Bounds that the reader, the write path and the database share. A time of 10^10 s is 317 years; a value of 10^100 still
# has a square and a sum of squares within a double. Both also keep infinities out, which SQLite would store.
MAX_TIME_S = 1e10
MAX_VALUE = 1e100
