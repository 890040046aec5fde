"""The review queue: pairs of a register and ours side by side, to be decided by people."""
