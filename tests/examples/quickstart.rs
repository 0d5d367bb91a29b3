//! The main job: data, training, registry, serving, prediction, retraining.
