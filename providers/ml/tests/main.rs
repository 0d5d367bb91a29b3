//! The provider as the engine calls it, with a real agent and a real runner.
