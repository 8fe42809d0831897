"""What may be written: rules of every kind as pure functions, and the webhook that asks them."""
