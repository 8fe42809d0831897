"""Which address a pod gets, decided purely: ranges, selection, allocation, reclaim."""
