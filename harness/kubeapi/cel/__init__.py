"""The Common Expression Language, as far as rules of custom resources use it. All pure.

github.com/google/cel-spec has the language, Kubernetes' "Common Expression Language in
Kubernetes" the libraries.
"""
