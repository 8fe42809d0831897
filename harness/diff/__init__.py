"""Our coordinator beside another executable: end states, and the ways that packets take."""
