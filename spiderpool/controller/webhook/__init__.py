"""The webhook's server, its certificate, and its registration at the API."""
