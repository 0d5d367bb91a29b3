//! The engine of mlinfra.
