//! Executes a training pipeline: stages, cache, artefacts, metrics, promotion.
