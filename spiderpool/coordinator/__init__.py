"""How a pod's NICs share its routes, decided purely: facts in, plan out."""
