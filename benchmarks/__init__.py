"""Benchmarks: this engine against dd, shred, nwipe and fio on the same devices in one run, told as ratios.

No figure here is held against a clock: what another machine needs for a gigabyte says nothing about this code. Every
ratio is taken round by round between two runs minutes apart on one machine, and a goal is a bar for such a ratio.
Run it with `make bench` or `python -m benchmarks --help`; docs/performance.md explains the tables.
"""
