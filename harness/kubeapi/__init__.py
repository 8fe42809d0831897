"""An embedded Kubernetes API: what the page, the components and the tests use of one."""
