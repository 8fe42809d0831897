"""From a SpiderMultusConfig to the CNI configuration that Multus runs."""
