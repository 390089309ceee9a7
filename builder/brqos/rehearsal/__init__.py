"""A rehearsal: everything that brqos does, with stand-ins for source, build and AWS that say so."""
