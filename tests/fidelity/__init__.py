"""Holds `brqos generate` against real upstream trees; the tests use the same checks on the miniatures.

`scripts/fidelity` runs it over all pairs of release and variant. A check raises `CheckError` with what is wrong; it
takes nothing for granted that brqos says about its own work, but asks git, cargo, rpm and Handlebars.
"""
