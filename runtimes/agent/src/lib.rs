//! The local orchestrator: supervises services, runs jobs, fires schedules; and the client that talks to it.
