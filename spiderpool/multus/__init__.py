"""SpiderMultusConfig -> NetworkAttachmentDefinition. Pure."""
