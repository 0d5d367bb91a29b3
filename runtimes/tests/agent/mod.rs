//! The local orchestrator, killed in every way.

mod jobs;
mod life;
mod schedules;
mod services;
