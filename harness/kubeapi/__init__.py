"""An embedded Kubernetes API server, as much of it as the page, the components and the tests use."""
