//! Objects of this machine: services, schedules, files, directories, carried out by the agent.
