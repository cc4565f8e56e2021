"""Central service: what is owned, where it is, what it holds, what may leave, and why."""
