//! Objects of the model registry: registries, datasets, training runs, aliases, promotion rules.
