"""Recorded results of upstream's binaries, held against ours: same in meaning, or explained."""
