"""Words of expectation, judged purely over observations."""
