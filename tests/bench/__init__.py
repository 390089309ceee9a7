"""How fast brqos is: `scripts/bench` prints a table, and never fails because of a time."""
